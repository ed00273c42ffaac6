internal import Common
internal import JSON
internal import Upstream

/// Reads the beginning of an answer with a status of success. Tells when the first content, or an error before it, has
/// come, and whether the answer is held back until then.
struct Preamble: Sendable {
    enum Finding: Equatable {
        /// So far only parts that stand before the content have come: a role, comments, `message_start`.
        case undecided
        case content
        /// The answer is an error, under each name that rules may use.
        case failed([Route.Failure])
    }

    private enum Form { case unknown, events, body }

    /// Checks the completion; nil if the answer is not to be one.
    private(set) var check: CompletionCheck?
    private var form = Form.unknown
    private var events = EventDataReader(after: 0)
    /// The data of the present event, or the body so far.
    private var data: [UInt8] = []
    private(set) var finding = Finding.undecided
    /// Bytes that may be held back in all, and those that may be held back yet.
    private let limit: Int
    private var room: Int
    /// Whether the answer has been held back for as long as it may be.
    private var isOverdue = false

    /// - Parameters:
    ///   - isChat: whether the answer is to be a chat completion.
    ///   - room: bytes that may be held back.
    init(isChat: Bool, room: Int) {
        check = isChat ? CompletionCheck() : nil
        (limit, self.room) = (room, room)
    }

    /// Bytes that were taken.
    var count: Int { limit - room }

    /// Whether a body has begun, and no stream of events: its first byte is content to a client that waits for one.
    var isBody: Bool { form == .body }

    /// Whether the answer is held back.
    var isHeld: Bool { finding == .undecided && room >= 0 && !isOverdue }

    /// Ends the time for which the answer is held back. The answer is still looked into.
    mutating func isDue() { isOverdue = true }

    /// Whether an answer can be looked into: it is JSON, or a stream of events.
    /// - Parameter isStream: whether the client asked for a stream, which a provider may have labelled as plain text.
    static func isReadable(_ head: UpstreamHead, isStream: Bool) -> Bool {
        if head.isEventStream { return true }
        let label = head.headers.first(named: "content-type") ?? ""
        let type = label.utf8.firstIndex(of: UInt8(ascii: ";")).map { String(label[..<$0]) } ?? label
        if type.equalsIgnoringASCIICase("application/json") { return true }
        return isStream && (type.isEmpty || type.equalsIgnoringASCIICase("text/plain"))
    }

    /// Takes the next bytes.
    mutating func take(_ bytes: [UInt8]) {
        guard finding == .undecided else { return }
        room -= bytes.count
        check?.take(bytes)
        if form == .unknown, let first = bytes.first(where: { $0 > UInt8(ascii: " ") }) {
            form = first == UInt8(ascii: "{") ? .body : .events
            // A list comes piece by piece.
            if first == UInt8(ascii: "[") {
                finding = .content
                return
            }
        }
        if form == .body { data += bytes } else { takeEvents(bytes) }
        // So long a text is an answer, and is no longer looked into.
        if finding == .undecided, data.count > limit { (finding, data) = (.content, []) }
    }

    private mutating func takeEvents(_ bytes: [UInt8]) {
        var reader = events
        reader.take(bytes) { part in
            switch part {
            case .data(let range): data += bytes[range]
            case .nextLine: data.append(UInt8(ascii: "\n"))
            case .end(let name, _):
                if finding == .undecided { finding = finding(of: data, named: name) }
                data.removeAll(keepingCapacity: true)
            }
        }
        events = reader
    }

    /// Notes that the answer has ended.
    mutating func end() {
        guard finding == .undecided else { return }
        // A copy is ended: the check goes on where the answer is passed on.
        var ended = check
        let hasPassed = check == nil ? nil : ended?.end() == nil
        // A completion that was checked as a whole is not read once more.
        if hasPassed == true, ended?.isWholeObject == true {
            finding = .content
            return
        }
        let failure: Route.Failure = form == .body ? .errorInSuccess : .streamError
        var scanner = ResponseScanner()
        if form == .body {
            scanner.take(data, 0..<data.count)
            scanner.end()
        }
        let hasFailed = hasPassed == false || form == .body && isFailure(scanner)
        finding = hasFailed ? .failed([failure] + Self.status(in: scanner.error)) : .content
    }

    private func finding(of data: [UInt8], named name: [UInt8]) -> Finding {
        var scanner = ResponseScanner()
        scanner.take(data, 0..<data.count)
        scanner.end()
        let object = (try? JSONObject.scan(data, maximumDepth: .max)) ?? repaired(data)
        let hasFailed =
            name.elementsEqual("error".utf8) || isFailure(scanner) || object.map(PreambleEvent.isFailure) ?? false
            || scanner.choices.contains { $0.failure(.streamError) != nil }
        if hasFailed { return .failed([.streamError] + Self.status(in: scanner.error ?? scanner.nestedError)) }
        guard let object else {
            // `[DONE]` without content is judged at the end.
            return data.first == UInt8(ascii: "[") || data.isEmpty ? .undecided : .content
        }
        return PreambleEvent.hasContent(object) ? .content : .undecided
    }

    /// An event in which `NaN` stands for a number, or the like.
    private func repaired(_ data: [UInt8]) -> JSONObject? {
        JSONRepair.repair(data, 0..<data.count).flatMap { try? JSONObject.scan($0.bytes, maximumDepth: .max) }
    }

    /// Whether a text tells of a failed call. A nested error is one of the call only in a chat completion. Elsewhere it
    /// may be a tool's schema, or the model's own words.
    private func isFailure(_ scanner: ResponseScanner) -> Bool {
        check == nil ? scanner.error != nil || scanner.isErrorTyped : scanner.isFailure
    }

    private static func status(in error: [UInt8]?) -> [Route.Failure] {
        error.flatMap(ErrorStatus.read).map { [.status($0)] } ?? []
    }
}

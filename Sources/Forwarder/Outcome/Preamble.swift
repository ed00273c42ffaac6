internal import Common
internal import JSON
internal import Upstream

/// What an answer with a status of success begins with: tells when its first content has come, or an error before it,
/// and whether it is held back until then.
struct Preamble: Sendable {
    enum Finding: Equatable {
        /// Nothing but what stands before the content: a role, comments, `message_start`.
        case undecided
        case content
        /// It is an error, by all that rules may call it.
        case failed([Route.Failure])
    }

    private enum Form { case unknown, events, body }

    /// Whether its completion is checked at its end.
    private var check: CompletionCheck?
    private var form = Form.unknown
    private var events = EventDataReader(after: 0)
    /// The data of the present event, or the body so far.
    private var data: [UInt8] = []
    private(set) var finding = Finding.undecided
    /// Bytes that may be held back, and those that may be yet.
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

    /// Whether the answer is held back.
    var isHeld: Bool { finding == .undecided && room >= 0 && !isOverdue }

    /// Ends the time for which the answer is held back. It is looked into all the same.
    mutating func isDue() { isOverdue = true }

    /// Whether an answer can be looked into: it is JSON, or a stream of events.
    static func isReadable(_ head: UpstreamHead, isStream: Bool) -> Bool {
        if isStream || head.isEventStream { return true }
        let type = head.headers.first(named: "content-type")?.lowercased() ?? ""
        return type.utf8.prefix { $0 != UInt8(ascii: ";") }.elementsEqual("application/json".utf8)
    }

    /// Takes the next bytes.
    mutating func take(_ bytes: [UInt8]) {
        guard finding == .undecided else { return }
        room -= bytes.count
        check?.take(bytes)
        if form == .unknown, let first = bytes.first(where: { $0 > UInt8(ascii: " ") }) {
            form = first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .body : .events
        }
        if form == .body { data += bytes } else { takeEvents(bytes) }
        // What is so long is an answer, and no longer looked into.
        if finding == .undecided, data.count > limit { (finding, data) = (.content, []) }
    }

    private mutating func takeEvents(_ bytes: [UInt8]) {
        var reader = events
        reader.take(bytes) { part in
            switch part {
            case .data(let range): data += bytes[range]
            case .nextLine: data.append(UInt8(ascii: "\n"))
            case .end(let name, _):
                if finding == .undecided { finding = Self.finding(of: data, named: name) }
                data.removeAll(keepingCapacity: true)
            }
        }
        events = reader
    }

    /// Notes that the answer has ended.
    mutating func end() {
        guard finding == .undecided else { return }
        let failure: Route.Failure = form == .body ? .errorInSuccess : .streamError
        var scanner = AnswerScanner()
        if form == .body {
            scanner.take(data, 0..<data.count)
            scanner.end()
        }
        let hasFailed = check?.end() != nil || form == .body && scanner.isFailure
        finding = hasFailed ? .failed([failure] + Self.status(in: scanner.error)) : .content
    }

    private static func finding(of data: [UInt8], named name: [UInt8]) -> Finding {
        var scanner = AnswerScanner()
        scanner.take(data, 0..<data.count)
        scanner.end()
        let hasFailed =
            name.elementsEqual("error".utf8) || scanner.isFailure
            || scanner.choices.contains { $0.failure(.streamError) != nil }
        if hasFailed { return .failed([.streamError] + status(in: scanner.error)) }
        guard let object = try? JSONObject.scan(data, maximumDepth: .max) else {
            // `[DONE]` without content is judged at the end.
            return data.first == UInt8(ascii: "[") || data.isEmpty ? .undecided : .content
        }
        return PreambleEvent.hasContent(object) ? .content : .undecided
    }

    private static func status(in error: [UInt8]?) -> [Route.Failure] {
        error.flatMap(ErrorStatus.read).map { [.status($0)] } ?? []
    }
}

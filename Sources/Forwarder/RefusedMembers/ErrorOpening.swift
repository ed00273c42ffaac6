/// The beginning of an answer with a good status, in which some servers refuse a request: a body, or a stream's first
/// event with data. Comments, blank lines and other fields come before that, and say nothing.
struct ErrorOpening: Sendable {
    private enum Form { case unknown, events, body }

    enum Finding: Equatable {
        case undecided
        /// It is an answer.
        case content
        /// The first event has come, or the body. It may be an error.
        case whole
    }

    /// The first bytes of an object, a comment, a stream's fields (`data`, `event`, `id`, `retry`) and U+FEFF.
    private static let beginnings = Array("{:deir".utf8) + [0xEF]

    private var form = Form.unknown
    private var events = EventDataReader(after: 0)
    private var scanner = ResponseScanner()
    /// The body, or the first event's data.
    private var text: [UInt8] = []
    /// Whether the event is one by its name.
    private var isNamedError = false
    private(set) var finding = Finding.undecided

    mutating func take(_ bytes: [UInt8]) {
        guard finding == .undecided else { return }
        if form == .unknown, let first = bytes.first(where: { $0 > UInt8(ascii: " ") }) {
            // An answer with another beginning, such as a list, comes piece by piece.
            guard Self.beginnings.contains(first) else {
                finding = .content
                return
            }
            form = first == UInt8(ascii: "{") ? .body : .events
        }
        if form == .body { takeBody(bytes) } else { takeEvents(bytes) }
    }

    private mutating func takeBody(_ bytes: [UInt8]) {
        text += bytes
        scanner.take(bytes, 0..<bytes.count)
        if scanner.hasChoices, scanner.error == nil {
            finding = .content
        } else if scanner.isClosed {
            finding = .whole
        }
    }

    private mutating func takeEvents(_ bytes: [UInt8]) {
        var reader = events
        reader.take(bytes) { part in take(part, of: bytes) }
        events = reader
    }

    private mutating func take(_ part: EventDataReader.Part, of bytes: [UInt8]) {
        guard finding == .undecided else { return }
        switch part {
        case .data(let range): text += bytes[range]
        case .nextLine: text.append(UInt8(ascii: "\n"))
        case .end(let name, _):
            guard text.contains(where: { $0 > UInt8(ascii: " ") }) else { return text.removeAll() }
            isNamedError = name.elementsEqual("error".utf8)
            finding = .whole
        }
    }

    /// Notes that the answer has ended, and with it an event.
    mutating func end() {
        guard finding == .undecided, form == .events else { return }
        var reader = events
        reader.end { part in take(part, of: []) }
        events = reader
    }

    /// Whether the beginning is an error that names a member of the request.
    func names(_ member: String) -> Bool {
        guard finding != .content else { return false }
        return isNamedError ? MemberRefusal.names(member, in: text) : MemberRefusal.names(member, inAnswer: text)
    }
}

internal import Common

/// The rule by which two texts of a stream for one member become one. The member's name decides: providers do not say.
enum JoinRule: Sendable {
    /// A text that comes in parts. Every member that is not named below.
    case joined
    /// A name for something: some providers repeat it in each event, some make up another one. The first that is not
    /// empty stands.
    case first
    /// A statement about the answer so far. The last that is not empty stands.
    case last
    /// A text that may come in parts, and that some providers repeat as a whole.
    case joinedUnlessRepeated

    init(of name: ArraySlice<UInt8>) {
        for (rule, names) in Self.names
        where names.contains(where: { $0.count == name.count && $0.elementsEqual(name) }) {
            self = rule
            return
        }
        self = .joined
    }

    private static let names: [(JoinRule, [[UInt8]])] = [
        (.first, ["id", "type", "role", "format", "object", "call_id", "tool_call_id", "mime_type", "media_type"]),
        (.last, ["severity", "stop_reason", "native_finish_reason"]),
        (.joinedUnlessRepeated, ["name", "signature", "thought_signature", "url"]),
    ].map { rule, names in (rule, names.map { Array($0.utf8) }) }
}

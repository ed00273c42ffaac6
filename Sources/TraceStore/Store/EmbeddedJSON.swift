internal import Common
internal import JSON

/// JSON that stands as text within something else: in an attribute, in a parameter of a URL.
enum EmbeddedJSON {
    /// The depth to which such a text may nest.
    static let maximumDepth = 128

    /// The text, if it is a JSON object.
    static func object(_ text: String) -> String? { scan(text) == nil ? nil : text }

    /// The object that the text is.
    static func scan(_ text: String) -> JSONObject? {
        try? JSONObject.scan(Array(text.utf8), maximumDepth: maximumDepth)
    }

    /// The strings of a JSON list; nil if the text is anything else.
    static func strings(_ text: String) -> [String]? {
        wrapped(text).flatMap { $0.object.strings($0.member) }
    }

    /// Whether the text is JSON of any kind.
    static func isJSON(_ text: String) -> Bool { wrapped(text) != nil }

    /// A value of any kind, as the only member of an object: the scanner reads objects.
    static func wrapped(_ text: String) -> (object: JSONObject, member: JSONObject.Member)? {
        guard
            let object = try? JSONObject.scan(
                Array(#"{"_":"#.utf8) + Array(text.utf8) + [UInt8(ascii: "}")], maximumDepth: maximumDepth + 1),
            object.members.count == 1, let member = object.members.first
        else { return nil }
        return (object, member)
    }
}

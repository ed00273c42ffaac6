internal import Common
internal import JSON

/// The members of a chat completion's request that the mock looks at. All others may be anything.
struct MockForm {
    struct Message {
        let role: String
        /// A message's content: a string, or parts of which those with a `text` count.
        let text: String
    }

    struct Malformed: Error {}

    let model: String
    let messages: [Message]
    let isStream: Bool
    let includesUsage: Bool

    /// - Throws: `JSONScanError`, or `Malformed` for a member of another kind than it must have. Null counts as absent.
    init(_ body: [UInt8]) throws {
        let object = try JSONObject.scan(body, maximumDepth: .max)
        model = try object.required("model", object.string)
        isStream = try object.optional("stream", object.bool) ?? false
        let options = try object.optional("stream_options") { try object.object($0) }
        includesUsage = try options?.optional("include_usage") { options?.bool($0) } ?? false
        messages =
            try object.optional("messages", object.elements)?.map { try Message(Self.object($0, of: object)) } ?? []
    }

    fileprivate static func object(_ element: JSONObject.Element, of object: JSONObject) throws -> JSONObject {
        guard element.kind == .object else { throw Malformed() }
        return try JSONObject.scan(object.bytes, range: element.value, maximumDepth: .max)
    }
}

extension MockForm.Message {
    fileprivate init(_ object: JSONObject) throws {
        role = try object.required("role", object.string)
        guard let content = object.member("content"), content.kind != .null else {
            text = ""
            return
        }
        if content.kind == .string {
            text = try object.required("content", object.string)
        } else {
            let parts = try object.required("content", object.elements)
            text = try parts.compactMap { element in
                let part = try MockForm.object(element, of: object)
                return try part.optional("text", part.string)
            }.joined(separator: "\n")
        }
    }
}

extension JSONObject {
    /// The value that `read` makes of a member. Nil if there is none, or null.
    fileprivate func optional<Value>(_ name: String, _ read: (Member) throws -> Value?) throws -> Value? {
        guard let member = member(name), member.kind != .null else { return nil }
        guard let value = try read(member) else { throw MockForm.Malformed() }
        return value
    }

    fileprivate func required<Value>(_ name: String, _ read: (Member) throws -> Value?) throws -> Value {
        guard let value = try optional(name, read) else { throw MockForm.Malformed() }
        return value
    }
}

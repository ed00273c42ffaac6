internal import Common

/// What a span says of a request: its messages, tools, parameters, tags and metadata, as places in the body that was sent. Nothing of the body is copied.
struct SpanRequest {
    /// The value of the span's input: an object of `messages` and, if there are any, `tools`, both byte for byte. Eval-protocol's adapter reads these two.
    private(set) var input: [TextPiece] = []
    private(set) var parameters = SpanObject()
    private(set) var metadata = SpanObject()
    /// `metadata.tags`.
    private(set) var tags: [String] = []
    /// By OpenAI's name: numbers that OpenTelemetry has attributes for.
    private(set) var numbers: [UTF8Text: String] = [:]
    /// `user`: whom the client makes the call for.
    private(set) var user: String?
    private(set) var traceName: String?
    private(set) var spanName: String?

    private static let numeric: Set<UTF8Text> = [
        "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "max_tokens", "max_completion_tokens", "seed", "n",
    ]
    /// No parameters of the model, or shown elsewhere. `stream_options` may be the gateway's own.
    private static let others: Set<UTF8Text> = ["model", "messages", "tools", "metadata", "user", "stream_options"]

    /// - Parameters:
    ///   - body: the request's body.
    ///   - metadata: what the span shall say besides; it stands before what the client says under the same name.
    init(body: [UInt8], metadata: SpanObject) {
        self.metadata = metadata
        guard let object = try? JSONObject.scan(body, maximumDepth: .max) else {
            if !body.isEmpty { input = [TextPiece("[The request is not a JSON object: \(body.count) bytes.]")] }
            return
        }
        readInput(of: object)
        for member in object.members {
            guard let name = object.name(of: member) else { continue }
            if name == "metadata" { readMetadata(member, of: object) }
            if name == "user" { user = object.string(member) }
            guard !Self.others.contains(name), !Self.mayBeSecret(name) else { continue }
            parameters.add(name, json: TextPiece(body, member.value))
            if Self.numeric.contains(name), member.kind == .number { numbers[name] = TextPiece(body, member.value).text }
        }
    }

    /// How many choices a request asks for (`n`); 1 if it does not say.
    static func choices(in body: [UInt8]) -> Int {
        guard let object = try? JSONObject.scan(body, maximumDepth: .max), let member = object.member("n") else { return 1 }
        return Int(TextPiece(body, member.value).text) ?? 1
    }

    private mutating func readInput(of object: JSONObject) {
        for (name, opening) in [("messages", #""messages":"#), ("tools", #""tools":"#)] {
            guard let member = object.member(name) else { continue }
            input.append(TextPiece((input.isEmpty ? "{" : ",") + opening))
            input.append(TextPiece(object.bytes, member.value))
        }
        if !input.isEmpty { input.append(TextPiece("}")) }
    }

    private mutating func readMetadata(_ member: JSONObject.Member, of object: JSONObject) {
        guard let nested = try? object.object(member) else { return }
        for member in nested.members {
            guard let name = nested.name(of: member) else { continue }
            switch name {
            case "tags": readTags(member, of: nested)
            case "trace_name": traceName = nested.string(member)
            case "generation_name": spanName = nested.string(member)
            case "trace_user_id": user = nested.string(member)
            default: if !Self.mayBeSecret(name) { metadata.add(name, json: TextPiece(nested.bytes, member.value)) }
            }
        }
    }

    private mutating func readTags(_ member: JSONObject.Member, of object: JSONObject) {
        var room = SpanLimits.small
        for tag in object.strings(member) ?? [] {
            let tag = TextPiece(tag).prefix(SpanLimits.value).text
            room -= tag.utf8.count + 32
            guard room >= 0 else { return }
            tags.append(tag)
        }
    }

    /// What the names of members are made of that may hold a key. Bytes, since a search in strings was a third of a span's cost.
    private static let secretWords = ["key", "secret", "password", "credential", "authorization", "headers", "access_token", "auth_token"]
        .map { Array($0.utf8) }
    private static let secretBeginnings = ["langfuse_", "aws_"].map { Array($0.utf8) }

    /// Whether a member of that name may hold a key: a client may send one in the body, as LiteLLM's users do, and it belongs into no trace.
    static func mayBeSecret(_ name: String) -> Bool {
        let name = name.utf8.map(\.asciiLowercased)
        if secretBeginnings.contains(where: { name.starts(with: $0) }) || name.elementsEqual("token".utf8) { return true }
        return secretWords.contains { word in
            name.indices.contains { name[$0] == word[0] && name[$0...].starts(with: word) }
        }
    }
}

internal import Common
internal import JSON
internal import Policies

/// A request in a span: its messages, tools, parameters, tags and metadata, as places in the body. Nothing is copied.
struct SpanRequest {
    /// The value of the span's input: an object of `messages` and, if there are any, `tools`, both byte for byte.
    /// Eval-protocol's adapter reads these two.
    private(set) var input: [ByteSlice] = []
    /// The place of the messages in the input, if its pieces are one behind the other.
    private(set) var messages: Range<Int>?
    /// The model's parameters, an object; nil if there are none.
    private(set) var parametersText: ByteSlice?
    private(set) var metadataText: ByteSlice
    /// A note of the parts that found no room; nil if all did.
    var note: String? { cut.isEmpty ? nil : "Cut to \(SpanLimits.small) bytes: \(cut.joined(separator: ", "))." }
    private var cut: [String] = []
    /// `metadata.tags`.
    private(set) var tags: [String] = []
    /// Numbers for which OpenTelemetry has attributes, by OpenAI's names.
    private(set) var numbers: [UTF8Text: String] = [:]
    /// `user`: whom the client makes the call for.
    private(set) var user: String?
    private(set) var traceName: String?
    private(set) var spanName: String?

    private static let numeric = [
        "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "max_tokens", "max_completion_tokens",
        "seed", "n",
    ]
    /// Members that are not parameters of the model, or are shown elsewhere. `stream_options` may be the gateway's own.
    private static let others: [StaticString] = ["model", "messages", "tools", "metadata", "user", "stream_options"]

    private let redactor: SecretRedactor

    /// - Parameters:
    ///   - body: the request's body.
    ///   - metadata: further members of the span's metadata. They stand before the client's own under the same name.
    ///   - redactor: takes out the secrets. A client may send keys in the body, as users of LiteLLM and of MCP's tools
    ///     do.
    init(body: [UInt8], metadata: SpanObject, redactor: SecretRedactor = SecretRedactor()) {
        self.redactor = redactor
        metadataText = Self.shortened(metadata, after: 0, name: "metadata", cut: &cut)
        guard let object = try? JSONObject.scan(body, maximumDepth: .max) else {
            if !body.isEmpty { input = [ByteSlice("[The request is not a JSON object: \(body.count) bytes.]")] }
            return
        }
        readInput(of: object)
        if let member = object.member("user") { user = object.string(member).map(redactor.clean) }
        for name in Self.numeric {
            guard let member = object.member(name), member.kind == .number else { continue }
            let number = ByteSlice(body, member.value)
            if redactor.clean(json: number).text == number.text { numbers[name] = number.text }
        }
        var parameters = SpanObject()
        for member in object.members
        where !Self.others.contains(where: { $0.withUTF8Buffer { $0.elementsEqual(body[member.key]) } }) {
            add(body, name: member.key, value: member.value, to: &parameters)
        }
        if !parameters.isEmpty {
            parametersText = Self.shortened(parameters, after: 0, name: "model parameters", cut: &cut)
        }
        guard let member = object.member("metadata"), member.kind == .object else { return }
        var all = metadata
        readMetadata(member, of: object, to: &all)
        metadataText = Self.shortened(all, after: metadata.bytes.count, name: "metadata", cut: &cut)
    }

    /// - Parameter own: bytes of the gateway's own members, which come first and are cut last.
    private static func shortened(
        _ object: SpanObject, after own: Int, name: String, cut: inout [String]
    ) -> ByteSlice {
        let piece = object.piece
        guard piece.count > SpanLimits.small else { return piece }
        cut.append(name)
        var shortener = JSONShortener()
        return shortener.shorten(piece, to: SpanLimits.small, main: 0..<own)
    }

    /// The number of choices that a request asks for (`n`); 1 if it does not say.
    static func choices(in body: [UInt8]) -> Int {
        guard let object = try? JSONObject.scan(body, maximumDepth: .max), let member = object.member("n") else {
            return 1
        }
        return Int(ByteSlice(body, member.value).text) ?? 1
    }

    private mutating func readInput(of object: JSONObject) {
        for (name, opening) in [("messages", #""messages":"#), ("tools", #""tools":"#)] {
            guard let member = object.member(name) else { continue }
            let isMessages = input.isEmpty && name == "messages"
            input.append(ByteSlice((input.isEmpty ? "{" : ",") + opening))
            input.append(redactor.clean(json: ByteSlice(object.bytes, member.value)))
            if isMessages { messages = input[0].count..<input[0].count + input[1].count }
        }
        if !input.isEmpty { input.append(ByteSlice("}")) }
    }

    private mutating func readMetadata(
        _ member: JSONObject.Member, of object: JSONObject, to metadata: inout SpanObject
    ) {
        let bytes = object.bytes
        var walker = JSONWalker(bytes, range: member.value)
        // The text was scanned with the whole.
        try? walker.members { (walker, name) throws(JSONScanError) in
            let kind = try walker.kind()
            let value = try walker.skip()
            func text() -> String? {
                guard kind == .string else { return nil }
                return JSONText.unescaped(bytes[value.dropFirst().dropLast()]).map(redactor.clean)
            }
            if walker.isName(name, "tags") {
                readTags(value, of: bytes)
            } else if walker.isName(name, "trace_name") {
                traceName = text()
            } else if walker.isName(name, "generation_name") {
                spanName = text()
            } else if walker.isName(name, "trace_user_id") {
                user = text()
            } else {
                add(bytes, name: name, value: value, to: &metadata)
            }
        }
    }

    private mutating func readTags(_ list: Range<Int>, of bytes: [UInt8]) {
        var all: [String] = []
        var walker = JSONWalker(bytes, range: list)
        try? walker.elements { (walker) throws(JSONScanError) in
            guard let range = try walker.string(), let text = JSONText.unescaped(bytes[range]) else { return }
            all.append(ByteSlice(redactor.clean(text)).prefix(SpanLimits.value).text)
        }
        tags = SpanLimits.first(of: all)
        if tags.count < all.count { cut.append("tags") }
    }

    /// Adds a member without its secrets. A member that is nothing but a secret, or one of Langfuse's own, is left out.
    private func add(_ bytes: [UInt8], name: Range<Int>, value: Range<Int>, to object: inout SpanObject) {
        guard let text = JSONText.unescaped(bytes[name]) else { return }
        let kind = Array(text.utf8).withUnsafeBufferPointer { SecretName($0) }
        let isScalar = bytes[value.lowerBound] != UInt8(ascii: "{") && bytes[value.lowerBound] != UInt8(ascii: "[")
        guard !(kind == .secret && isScalar), !text.utf8.starts(with: "langfuse_".utf8) else { return }
        object.add(text, json: redactor.clean(json: ByteSlice(bytes, value), under: kind))
    }
}

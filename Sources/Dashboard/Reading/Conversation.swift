internal import Common
internal import JSON

/// The messages of a completion's trace: what was asked, and what was answered.
struct Conversation {
    struct Message {
        var role: String
        /// Whether it is the answer's.
        var isAnswer = false
        var blocks: [Block] = []
        var calls: [Call] = []
        /// The tool call that it answers.
        var answers: String?
    }

    /// A part of a message's content.
    struct Block {
        var text: String?
        /// A picture within the message, as a `data:` URL.
        var picture: String?
        /// Content of another form, as JSON.
        var json: String?
    }

    struct Call {
        var name: String
        var arguments: String
    }

    /// Pictures that a browser shows without running or fetching anything.
    private static let pictures = [
        "data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,",
    ]

    private(set) var messages: [Message] = []
    private(set) var tools: [Call] = []
    /// The request's messages as they stand in the trace, for a call of one's own.
    private(set) var requestMessages: String?
    /// Likewise the tools that it offered.
    private(set) var requestTools: String?

    /// - Parameter trace: that of `/traces/completion`.
    init(_ trace: JSONObject) {
        if let input = trace.nested("input") {
            if let member = input.member("messages") {
                requestMessages = input.indented(member.value)
                messages = input.objects("messages").map { Self.message($0) }
            }
            if let member = input.member("tools"), member.kind == .array {
                requestTools = input.indented(member.value)
            }
            for tool in input.objects("tools") {
                let function = tool.nested("function") ?? tool
                let schema = function.member("parameters").map { function.indented($0.value) } ?? ""
                tools.append(Call(name: function.text("name") ?? "tool", arguments: schema))
            }
        }
        let answers = trace.nested("output").map { [$0] } ?? trace.objects("output")
        messages += answers.map { answer in
            var message = Self.message(answer)
            message.isAnswer = true
            return message
        }
        if answers.isEmpty, let output = trace.text("output") {
            messages.append(Message(role: "assistant", isAnswer: true, blocks: [Block(text: output)]))
        }
    }

    private static func message(_ object: JSONObject) -> Message {
        var message = Message(role: object.text("role") ?? "assistant")
        message.answers = object.text("tool_call_id")
        if let thoughts = object.text("reasoning_content"), !thoughts.isEmpty {
            message.blocks.append(Block(text: thoughts))
        }
        if let text = object.text("content") {
            if !text.isEmpty { message.blocks.append(Block(text: text)) }
        } else if let member = object.member("content"), member.kind == .array {
            message.blocks += object.objects("content").map { block($0) }
        } else if let member = object.member("content"), member.kind != .null {
            message.blocks.append(Block(json: object.indented(member.value)))
        }
        for call in object.objects("tool_calls") {
            let function = call.nested("function") ?? call
            message.calls.append(Call(name: function.text("name") ?? "tool", arguments: arguments(of: function)))
        }
        return message
    }

    /// Arguments are JSON within a text; what is not JSON stands as it came.
    private static func arguments(of function: JSONObject) -> String {
        guard let text = function.text("arguments") else { return "" }
        let bytes = Array(text.utf8)
        return JSONWalker.isValue(bytes)
            ? String(decoding: JSONText.indented(JSONObject.compact(bytes)), as: UTF8.self) : text
    }

    private static func isPicture(_ url: String) -> Bool {
        guard let kind = pictures.first(where: { url.utf8.starts(with: $0.utf8) }) else { return false }
        return isBase64(url.utf8.dropFirst(kind.utf8.count))
    }

    /// Whether a browser can decode it (RFC 4648 §4); the padding may be left out.
    private static func isBase64(_ text: Substring.UTF8View) -> Bool {
        let equals = UInt8(ascii: "=")
        let padding = text.reversed().prefix { $0 == equals }.count
        let digits = text.count - padding
        guard digits > 0, digits % 4 != 1, padding == 0 || (padding < 3 && text.count % 4 == 0) else { return false }
        return text.prefix(digits).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }

    private static func block(_ part: JSONObject) -> Block {
        if let text = part.text("text") { return Block(text: text) }
        let url = part.nested("image_url")?.text("url") ?? part.text("image_url")
        if let url, isPicture(url) { return Block(picture: url) }
        return Block(json: part.indented(part.braces))
    }
}

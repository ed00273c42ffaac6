internal import Common
internal import JSON

/// The completion that the mock tells: its text, its counts, and OpenAI's object around them.
struct MockCompletion: Sendable {
    let text: String
    let id: String
    let created: UInt64
    let model: String
    let promptTokens: Int
    let completionTokens: Int

    init(_ request: MockRequest, id: String, created: UInt64) {
        let text = request.options.size.map(Self.filler) ?? request.lastUserText
        self.text = text
        self.id = id
        self.created = created
        self.model = request.model
        self.promptTokens = request.options.promptTokens ?? request.promptWords
        self.completionTokens = request.options.completionTokens ?? text.wordCount
    }

    /// The answer of a call that does not stream.
    var json: [UInt8] {
        var out = opening(object: "chat.completion")
        out += #"[{"index":0,"message":{"role":"assistant","content":"#.utf8
        JSONText.append(text, to: &out)
        out += #"},"logprobs":null,"finish_reason":"stop"}],"usage":\#(usage)}"#.utf8
        return out
    }

    var usage: String {
        #"{"prompt_tokens":\#(promptTokens),"completion_tokens":\#(completionTokens),"total_tokens":\#(promptTokens + completionTokens)}"#
    }

    /// The object up to the value of its `choices`.
    func opening(object: String) -> [UInt8] {
        var out = Array(#"{"id":"\#(id)","object":"\#(object)","created":\#(created),"model":"#.utf8)
        JSONText.append(model, to: &out)
        out += #","choices":"#.utf8
        return out
    }

    /// Text of so many bytes.
    private static func filler(_ size: Int) -> String {
        let words = "lorem ipsum dolor sit amet "
        return String(String(repeating: words, count: size / words.utf8.count + 1).prefix(size))
    }
}

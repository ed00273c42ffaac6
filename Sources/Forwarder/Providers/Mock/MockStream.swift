internal import Common
internal import JSON

/// The server-sent events of a streamed completion, each made when it is asked for: the role, the text in pieces, the
/// finish, the usage if it was asked for, `[DONE]`.
struct MockStream: Sendable {
    private let completion: MockCompletion
    private let text: [UInt8]
    private let chunks: Int
    private let includesUsage: Bool

    init(_ completion: MockCompletion, _ request: MockRequest) {
        self.completion = completion
        text = Array(completion.text.utf8)
        chunks = request.options.chunks ?? min(max(completion.text.wordCount, 1), 100_000)
        includesUsage = request.includesUsage
    }

    /// The number of events.
    var count: Int { chunks + (includesUsage ? 4 : 3) }

    /// Whether the event waits for the pace: the pieces of text after the first.
    func isPaced(_ index: Int) -> Bool { index >= 2 && index <= chunks }

    func frame(_ index: Int) -> [UInt8] {
        switch index {
        case 0: event(delta: Array(#"{"role":"assistant","content":""}"#.utf8), finish: "null")
        case 1...chunks:
            event(
                delta: Array(#"{"content":"#.utf8) + JSONText.quoted(piece(index - 1)) + [UInt8(ascii: "}")],
                finish: "null")
        case chunks + 1: event(delta: Array("{}".utf8), finish: #""stop""#)
        case count - 1: Array("data: [DONE]\n\n".utf8)
        default: event(choices: Array("[]".utf8), usage: completion.usage)
        }
    }

    /// The text between two cuts that part it evenly; no cut goes through a character's bytes.
    private func piece(_ index: Int) -> String {
        String(decoding: text[cut(index)..<cut(index + 1)], as: UTF8.self)
    }

    private func cut(_ index: Int) -> Int {
        var position = text.count * index / chunks
        while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
        return position
    }

    private func event(delta: [UInt8], finish: String) -> [UInt8] {
        event(
            choices: Array(#"[{"index":0,"delta":"#.utf8) + delta
                + Array(#","logprobs":null,"finish_reason":\#(finish)}]"#.utf8), usage: "null")
    }

    private func event(choices: [UInt8], usage: String) -> [UInt8] {
        var out = Array("data: ".utf8)
        out += completion.opening(object: "chat.completion.chunk")
        out += choices
        if includesUsage { out += #","usage":\#(usage)"#.utf8 }
        out += "}\n\n".utf8
        return out
    }
}

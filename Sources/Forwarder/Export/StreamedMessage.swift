internal import Common

/// The message of one choice, put together from a stream's deltas. Texts are kept as they were written, escaped: behind one another they are one JSON string.
struct StreamedMessage: Sendable {
    /// The members whose text comes in parts.
    enum Part: Int, CaseIterable, Sendable {
        case content, reasoningContent, reasoning, refusal

        var name: StaticString {
            switch self {
            case .content: "content"
            case .reasoningContent: "reasoning_content"
            case .reasoning: "reasoning"
            case .refusal: "refusal"
            }
        }
    }

    struct ToolCall: Sendable {
        var index: Int?
        var id: [UInt8] = []
        var type: [UInt8] = []
        var name: [UInt8] = []
        var arguments: [UInt8] = []

        mutating func append(name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>) {
            self.name += name
            self.arguments += arguments
        }
    }

    let index: Int
    var role: [UInt8] = []
    var texts = [[UInt8]?](repeating: nil, count: Part.allCases.count)
    /// Elements of a `content` that is an array, commas between them.
    var contentParts: [UInt8] = []
    var toolCalls: [ToolCall] = []
    /// The older form of one tool call.
    var functionCall: ToolCall?
    var finishReason: [UInt8] = []

    init(index: Int) { self.index = index }

    /// The message as the Chat Completions API gives it without a stream.
    func json(isCut: Bool) -> [UInt8] {
        var out = Array(#"{"role":""#.utf8)
        out += role.isEmpty ? Array("assistant".utf8) : role
        out += #"","content":"#.utf8
        appendContent(isCut: isCut, to: &out)
        for part in Part.allCases.dropFirst() {
            guard let text = texts[part.rawValue] else { continue }
            out += #",""#.utf8
            part.name.withUTF8Buffer { out.append(contentsOf: $0) }
            out += #"":""#.utf8
            out += text
            out.append(UInt8(ascii: "\""))
        }
        if !toolCalls.isEmpty {
            for (index, call) in toolCalls.enumerated() {
                out += (index == 0 ? #","tool_calls":["# : ",").utf8
                Self.append(call, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
        if let functionCall {
            out += #","function_call":"#.utf8
            Self.appendFunction(functionCall, to: &out)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    private func appendContent(isCut: Bool, to out: inout [UInt8]) {
        let mark = isCut ? SpanLimits.mark(kept: SpanLimits.text) : ""
        let text = texts[Part.content.rawValue]
        if contentParts.isEmpty {
            guard let text else {
                out += (isCut ? "\"\(mark)\"" : "null").utf8
                return
            }
            out.append(UInt8(ascii: "\""))
            out += text
            out += "\(mark)\"".utf8
            return
        }
        out.append(UInt8(ascii: "["))
        out += contentParts
        if let text, !text.isEmpty {
            out += #",{"type":"text","text":""#.utf8
            out += text
            out += #""}"#.utf8
        }
        if isCut { out += #",{"type":"text","text":"\#(mark)"}"#.utf8 }
        out.append(UInt8(ascii: "]"))
    }

    private static func append(_ call: ToolCall, to out: inout [UInt8]) {
        out += #"{"id":""#.utf8
        out += call.id
        out += #"","type":""#.utf8
        out += call.type.isEmpty ? Array("function".utf8) : call.type
        out += #"","function":"#.utf8
        appendFunction(call, to: &out)
        out.append(UInt8(ascii: "}"))
    }

    private static func appendFunction(_ call: ToolCall, to out: inout [UInt8]) {
        out += #"{"name":""#.utf8
        out += call.name
        out += #"","arguments":""#.utf8
        out += call.arguments
        out += #""}"#.utf8
    }
}

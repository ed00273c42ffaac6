internal import Common

extension StreamCollector {
    /// Takes one member of a delta.
    mutating func takeDelta(_ walker: inout JSONWalker, _ name: Range<Int>, _ bytes: [UInt8], at place: Int) throws(JSONScanError) {
        for part in StreamedMessage.Part.allCases where walker.isName(name, part.name) {
            if part == .content, try walker.kind() == .array { return try takeParts(&walker, bytes, at: place) }
            guard let text = try walker.string() else { return }
            let kept = kept(of: bytes, text)
            if messages[place].texts[part.rawValue] == nil { messages[place].texts[part.rawValue] = [] }
            messages[place].texts[part.rawValue]?.append(contentsOf: bytes[kept])
            if !text.isEmpty { noteToken() }
            return
        }
        if walker.isName(name, "role") {
            guard let role = try walker.string(), messages[place].role.isEmpty else { return }
            let kept = kept(of: bytes, role)
            messages[place].role = Array(bytes[kept])
        } else if walker.isName(name, "tool_calls") {
            try walker.elements { (walker) throws(JSONScanError) in try takeToolCall(&walker, bytes, at: place) }
        } else if walker.isName(name, "function_call"), try walker.kind() == .object {
            noteToken()
            var call = StreamedMessage.ToolCall()
            try takeFunction(&walker, bytes, into: &call)
            if messages[place].functionCall == nil { messages[place].functionCall = .init() }
            let (name, arguments) = (kept(of: call.name), kept(of: call.arguments))
            messages[place].functionCall?.append(name: name, arguments: arguments)
        }
    }

    /// A content of parts, such as Mistral's of thinking and text: its elements are kept as they are, one behind the other.
    private mutating func takeParts(_ walker: inout JSONWalker, _ bytes: [UInt8], at place: Int) throws(JSONScanError) {
        try walker.elements { (walker) throws(JSONScanError) in
            let element = try walker.skip()
            noteToken()
            // Half of an element is none.
            guard kept(of: bytes, element) == element else { return }
            var parts = messages[place].contentParts
            messages[place].contentParts = []
            if let text = messages[place].texts[0].take(), !text.isEmpty {
                if !parts.isEmpty { parts.append(UInt8(ascii: ",")) }
                parts += #"{"type":"text","text":""#.utf8
                parts += text
                parts += #""}"#.utf8
            }
            if !parts.isEmpty { parts.append(UInt8(ascii: ",")) }
            parts += bytes[element]
            messages[place].contentParts = parts
        }
    }

    private mutating func takeToolCall(_ walker: inout JSONWalker, _ bytes: [UInt8], at place: Int) throws(JSONScanError) {
        guard try walker.kind() == .object else { return }
        var call = StreamedMessage.ToolCall()
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "index") {
                call.index = Self.number(TextPiece(bytes, try walker.skip()))
            } else if walker.isName(name, "id"), let text = try walker.string() {
                call.id = Array(bytes[text])
            } else if walker.isName(name, "type"), let text = try walker.string() {
                call.type = Array(bytes[text])
            } else if walker.isName(name, "function") {
                try takeFunction(&walker, bytes, into: &call)
            }
        }
        noteToken()
        var known = Self.place(of: call, among: messages[place].toolCalls)
        if known == nil, messages[place].toolCalls.count < SpanLimits.pieces {
            messages[place].toolCalls.append(StreamedMessage.ToolCall(index: call.index))
            known = messages[place].toolCalls.count - 1
        }
        guard let known else { return markCut() }
        if messages[place].toolCalls[known].id.isEmpty { messages[place].toolCalls[known].id = Array(kept(of: call.id)) }
        if messages[place].toolCalls[known].type.isEmpty { messages[place].toolCalls[known].type = Array(kept(of: call.type)) }
        let isRepeated = messages[place].toolCalls[known].name == call.name
        let name = isRepeated ? [] : kept(of: call.name)
        let arguments = kept(of: call.arguments)
        messages[place].toolCalls[known].append(name: name, arguments: arguments)
    }

    private mutating func kept(of bytes: [UInt8]) -> ArraySlice<UInt8> { bytes[kept(of: bytes, 0..<bytes.count)] }

    /// The call that this one goes on with. Some providers (Gemini's compatible endpoint) give all calls the index 0, or none, and each whole: there another id with
    /// a name is another call.
    private static func place(of call: StreamedMessage.ToolCall, among calls: [StreamedMessage.ToolCall]) -> Int? {
        if call.index == nil {
            return call.id.isEmpty ? (call.name.isEmpty ? calls.indices.last : nil) : calls.firstIndex { $0.id == call.id }
        }
        return calls.lastIndex { known in
            known.index == call.index && (call.id.isEmpty || known.id.isEmpty || known.id == call.id || call.name.isEmpty)
        }
    }

    private mutating func takeFunction(
        _ walker: inout JSONWalker, _ bytes: [UInt8], into call: inout StreamedMessage.ToolCall
    ) throws(JSONScanError) {
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "name"), let text = try walker.string() {
                call.name = Array(bytes[text])
            } else if walker.isName(name, "arguments") {
                if try walker.kind() == .string {
                    if let text = try walker.string() { call.arguments = Array(bytes[text]) }
                } else {
                    // A server that writes the arguments as an object: kept as the text that they should be.
                    let value = try walker.skip()
                    JSONText.appendEscaped(bytes, value, to: &call.arguments)
                }
            }
        }
    }
}

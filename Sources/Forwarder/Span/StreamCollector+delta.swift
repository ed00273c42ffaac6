internal import Common
internal import JSON

extension StreamCollector {
    /// Takes one member of a delta.
    mutating func takeDelta(
        _ walker: inout JSONWalker, _ name: Range<Int>, _ bytes: [UInt8], at place: Int
    ) throws(JSONScanError) {
        let kind = try walker.kind()
        for part in StreamedMessage.Part.allCases where walker.isName(name, part.name) {
            if kind == .string {
                guard isTextPlace(part, at: place) else { return tree.markMixed() }
                guard let text = try walker.string() else { return }
                let kept = tree.kept(of: bytes, text)
                if messages[place].texts[part.rawValue] == nil { messages[place].texts[part.rawValue] = [] }
                messages[place].texts[part.rawValue]?.append(contentsOf: bytes[kept])
                if !text.isEmpty { noteToken() }
                return
            }
            if part == .content, kind == .array { return try takeParts(&walker, bytes, at: place) }
            // What is a text keeps being one.
            if messages[place].texts[part.rawValue] != nil, kind != .null { return tree.markMixed() }
        }
        if kind == .string, walker.isName(name, "role") {
            guard let role = try walker.string(), messages[place].role.isEmpty else { return }
            let kept = tree.kept(of: bytes, role)
            messages[place].role = Array(bytes[kept])
            return
        }
        let room = tree.room
        try tree.takeMember(&walker, name, bytes, of: messages[place].root)
        // More than a name and a pair of brackets.
        if kind == .string || kind == .object || kind == .array, room - tree.room > name.count + 6 { noteToken() }
    }

    /// Whether a member that comes as a text has not been something else before.
    private func isTextPlace(_ part: StreamedMessage.Part, at place: Int) -> Bool {
        guard messages[place].texts[part.rawValue] == nil, let other = tree.child(part.name, of: messages[place].root)
        else { return true }
        return tree.nodes[other].kind == .null || tree.nodes[other].kind == .scalar
    }

    /// A content of parts, such as Mistral's of thinking and text.
    private mutating func takeParts(_ walker: inout JSONWalker, _ bytes: [UInt8], at place: Int) throws(JSONScanError) {
        noteToken()
        if messages[place].contentParts == nil {
            messages[place].contentParts = tree.addNode(.array)
            if messages[place].contentParts != nil { _ = tree.charge(2) }
        }
        guard let parts = messages[place].contentParts else { return }
        if let text = messages[place].texts[StreamedMessage.Part.content.rawValue].take(), !text.isEmpty {
            tree.appendElement(StreamedMessage.textPart(text), charged: text.count, to: parts)
        }
        try tree.takeElements(&walker, bytes, into: parts, DeltaTree.Elements(of: Array("content".utf8)[...]), depth: 0)
    }
}

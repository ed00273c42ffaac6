internal import Common
internal import JSON

/// Finds out whether a provider's refusal names a member of the request: in OpenAI's `param`, in FastAPI's `loc`, in a
/// message, or as the name under which an error stands.
enum MemberRefusal {
    /// The statuses by which servers refuse a request for what it holds: those meant for it, and those by which some
    /// tell of a feature that they do not have. Behind a 500 a completion may have been made, and paid for.
    static let statuses = [400, 403, 404, 405, 415, 422, 501]

    /// Nesting beyond which an answer is not looked into.
    private static let mostDepth = 32
    /// Members in which servers repeat the request.
    private static let echoes: [StaticString] = ["input", "request", "request_body", "received"]

    /// - Parameter body: the answer's, as far as it is kept.
    static func names(_ member: String, in body: [UInt8]) -> Bool {
        let words = words(for: member)
        guard JSONWalker.isValue(body) else { return holds(body[...], oneOf: words) }
        var walker = JSONWalker(body)
        return (try? holds(&walker, body, oneOf: words, depth: 0)) ?? false
    }

    /// The spellings of a member in words for people, in lower case.
    private static func words(for member: String) -> [[UInt8]] {
        // The usage is all that is asked for, so some name that instead.
        let names = member == StreamOptions.member ? [member, "include_usage"] : [member]
        return names.flatMap { name in
            ["_", "-", " ", ""].map { separator in
                name.utf8.flatMap { $0 == UInt8(ascii: "_") ? Array(separator.utf8) : [$0] }
            }
        }
    }

    private static func holds(
        _ walker: inout JSONWalker, _ bytes: [UInt8], oneOf words: [[UInt8]], depth: Int
    ) throws(JSONScanError) -> Bool {
        var isNamed = false
        guard depth < mostDepth else {
            try walker.skip()
            return false
        }
        switch try walker.kind() {
        case .string:
            guard let range = try walker.string() else { return false }
            return holds(Array((JSONText.unescaped(bytes[range]) ?? "").utf8)[...], oneOf: words)
        case .array:
            try walker.elements { (walker) throws(JSONScanError) in
                isNamed = try holds(&walker, bytes, oneOf: words, depth: depth + 1) || isNamed
            }
        case .object:
            try walker.members { (walker, name) throws(JSONScanError) in
                isNamed = isNamed || holds(bytes[name], oneOf: words)
                guard !echoes.contains(where: { walker.isName(name, $0) }) else { return }
                isNamed = try holds(&walker, bytes, oneOf: words, depth: depth + 1) || isNamed
            }
        default: try walker.skip()
        }
        return isNamed
    }

    /// Whether one of the words stands in a text, and not within a longer one.
    private static func holds(_ text: ArraySlice<UInt8>, oneOf words: [[UInt8]]) -> Bool {
        let text = text.map(\.asciiLowercased)
        return words.contains { word in
            guard text.count >= word.count else { return false }
            return (0...text.count - word.count).contains { start in
                let end = start + word.count
                guard text[start] == word[0], text[start..<end].elementsEqual(word) else { return false }
                return (start == 0 || !isWord(text[start - 1])) && (end == text.count || !isWord(text[end]))
            }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
}

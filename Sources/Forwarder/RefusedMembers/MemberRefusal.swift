internal import Common
internal import JSON

/// Finds out whether a provider's refusal names a member of the request: in OpenAI's `param`, in FastAPI's `loc`, in a
/// message, or as the name under which an error stands.
enum MemberRefusal {
    /// Client errors that are about something other than the request's body: a key, the time, too many calls.
    private static let otherClientErrors = [401, 407, 408, 429]
    /// Members of an answer with a good status in which servers tell an error, of any form.
    private static let errors: [StaticString] = ["error", "errors", "detail", "details"]
    /// Members that tell an error as text. As an object they are an answer's message.
    private static let texts: [StaticString] = ["message", "msg", "error_message", "error_msg", "reason", "title"]

    /// Whether an answer with this status may refuse the request for what it holds.
    static func mayRefuse(_ status: Int) -> Bool {
        (400..<500).contains(status) && !otherClientErrors.contains(status) || status == 500 || status == 501
    }

    /// - Parameters:
    ///   - body: the answer's, as far as it is kept.
    ///   - isWhole: whether the body is complete. If not, the kept part decides.
    static func names(_ member: String, in body: [UInt8], isWhole: Bool = true, status: Int = 400) -> Bool {
        // Before a 500 a completion may have been made and paid for: the answer counts only if it blames the member.
        var search = RefusalSearch(body, for: words(for: member), mustBlame: status == 500)
        let first = body.first { $0 > UInt8(ascii: " ") }
        let mayBeJSON = first.map { "{[\"".utf8.contains($0) } ?? false
        guard isWhole ? JSONWalker.isValue(body) : mayBeJSON else { return search.isNamed(in: body[...]) }
        var walker = JSONWalker(body)
        // A text that is cut is searched up to the cut.
        try? search.value(&walker, depth: 0)
        return search.isNamed
    }

    /// Whether an answer with a good status, or its first event, is an error that names the member.
    /// - Parameter text: the JSON, which may be cut.
    static func names(_ member: String, inAnswer text: [UInt8]) -> Bool {
        var (isError, hasChoices) = (false, false)
        var walker = JSONWalker(text)
        try? walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "choices"), try walker.kind() == .array { hasChoices = true }
            guard walker.isName(name, "object") || walker.isName(name, "type"), let kind = try walker.string() else {
                return
            }
            isError = isError || [#"error"#, "response.failed"].contains { text[kind].elementsEqual($0.utf8) }
        }
        if isError, !hasChoices { return names(member, in: text, isWhole: false) }
        var search = RefusalSearch(text, for: words(for: member), mustBlame: false)
        walker = JSONWalker(text)
        try? walker.members { (walker, name) throws(JSONScanError) in
            let kind = try walker.kind()
            // Beside a completion only an error is one.
            let isTold =
                hasChoices
                ? walker.isName(name, "error")
                : errors.contains { walker.isName(name, $0) }
                    || kind != .object && texts.contains { walker.isName(name, $0) }
            if isTold { try search.value(&walker, depth: 1) }
        }
        return search.isNamed
    }

    /// The spellings of a member in words for people, in lower case.
    private static func words(for member: String) -> [[UInt8]] {
        // Only the usage is asked for, so some servers name that instead.
        let names = member == StreamOptions.member ? [member, "include_usage"] : [member]
        return names.flatMap { name in
            ["_", "-", " ", ""].map { separator in
                name.utf8.flatMap { $0 == UInt8(ascii: "_") ? Array(separator.utf8) : [$0] }
            }
        }
    }
}

/// The search for a member's name in one refusal, outside of what repeats the request.
private struct RefusalSearch {
    /// Nesting beyond which an answer is not looked into.
    private static let mostDepth = 32
    /// Members in which servers repeat the request, or the part of it that is wrong.
    private static let echoes: [StaticString] = ["input", "request", "request_body", "received"]
    /// Members that hold the request in some servers' answers, and in others' what is wrong with it.
    private static let bodies: [StaticString] = ["body", "payload", "requestBody", "raw_body"]
    /// Words that say of a member that it is not taken.
    private static let blames = ["unexpected", "unknown", "unsupported", "not supported", "unrecognized", "invalid"]
        .map { Array($0.utf8) }
    /// Bytes between such a word and the member's name.
    private static let mostBetween = 48

    private let bytes: [UInt8]
    private let words: [[UInt8]]
    private let mustBlame: Bool
    private(set) var isNamed = false

    /// - Parameter mustBlame: whether the name counts only beside a word that says that the member is not taken.
    init(_ bytes: [UInt8], for words: [[UInt8]], mustBlame: Bool) {
        (self.bytes, self.words, self.mustBlame) = (bytes, words, mustBlame)
    }

    /// Searches the next value. Where the text is cut, what was found before stands.
    /// - Parameter isBody: whether it stands where servers repeat the request.
    mutating func value(_ walker: inout JSONWalker, depth: Int, isBody: Bool = false) throws(JSONScanError) {
        guard !isNamed, depth < Self.mostDepth else {
            try walker.skip()
            return
        }
        switch try walker.kind() {
        case .string:
            guard let range = try walker.string() else { return }
            let text = Array((JSONText.unescaped(bytes[range]) ?? "").utf8)
            guard !isBody || text.first != UInt8(ascii: "{") else { return }
            isNamed = isNamed(in: text[...])
        case .array:
            try walker.elements { (walker) throws(JSONScanError) in try value(&walker, depth: depth + 1) }
        case .object: try object(&walker, depth: depth, isBody: isBody)
        default: try walker.skip()
        }
    }

    private mutating func object(_ walker: inout JSONWalker, depth: Int, isBody: Bool) throws(JSONScanError) {
        var (hasModel, hasPrompt) = (false, false)
        do throws(JSONScanError) {
            try walker.members { (walker, name) throws(JSONScanError) in
                hasModel = hasModel || walker.isName(name, "model") || walker.isName(name, "stream")
                hasPrompt = hasPrompt || walker.isName(name, "messages") || walker.isName(name, "prompt")
                isNamed = isNamed || isNamed(in: bytes[name])
                guard !Self.echoes.contains(where: { walker.isName(name, $0) }) else { return }
                let isBody = Self.bodies.contains { walker.isName(name, $0) }
                try value(&walker, depth: depth + 1, isBody: isBody)
            }
        } catch {
            // A cut body may be the request, so a name in it does not count.
            if isBody || depth > 0 && hasModel && hasPrompt { isNamed = false }
            throw error
        }
        // This is the request, under any name. The member stands in it only because it was sent.
        if isBody ? hasModel || hasPrompt : depth > 0 && hasModel && hasPrompt { isNamed = false }
    }

    /// Whether one of the words stands in a text, and not within a longer one.
    func isNamed(in text: ArraySlice<UInt8>) -> Bool {
        let text = text.map(\.asciiLowercased)
        return words.contains { word in
            guard text.count >= word.count else { return false }
            return (0...text.count - word.count).contains { start in
                let end = start + word.count
                guard text[start] == word[0], text[start..<end].elementsEqual(word) else { return false }
                guard start == 0 || !Self.isWord(text[start - 1]), end == text.count || !Self.isWord(text[end]) else {
                    return false
                }
                return !mustBlame || Self.isBlamed(start..<end, in: text)
            }
        }
    }

    /// Whether a word that blames the member stands beside its name, with neither an end of line nor a value between.
    private static func isBlamed(_ name: Range<Int>, in text: [UInt8]) -> Bool {
        let before = text[..<name.lowerBound].suffix(mostBetween).reversed().prefix { !isBorder($0) }.reversed()
        let after = text[name.upperBound...].prefix(mostBetween).prefix { !isBorder($0) }
        return blames.contains { blame in holds(Array(before), blame) || holds(Array(after), blame) }
    }

    private static func holds(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        text.count >= word.count
            && (0...text.count - word.count).contains { text[$0..<$0 + word.count].elementsEqual(word) }
    }

    private static func isBorder(_ byte: UInt8) -> Bool { "\r\n={};".utf8.contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
}

package import Common
package import JSON

/// The most tokens that a request may take, by what is known before its call.
package struct TokenEstimate: Sendable, Equatable {
    /// A token has some four bytes of English text.
    private static let bytesPerToken = 4
    /// Members of a request's body that hold its text.
    private static let texts = ["messages", "input", "prompt", "system", "instructions"]
    /// Members within these that hold text, or lead to it. Images and files are none.
    private static let parts = [
        "content", "text", "parts", "output", "arguments", "function", "function_call", "tool_calls",
    ]
    /// The body's bounds of the answer, the first that is there.
    private static let bounds = ["max_completion_tokens", "max_tokens", "max_output_tokens"]

    package var input: Int
    /// Of one choice; nil if the request does not bound it.
    package var output: Int?
    package var choices: Int

    /// Reads a request's body. A body that is not a JSON object has no text.
    package init(body: [UInt8]) { self.init(try? JSONObject.scan(body, maximumDepth: .max)) }

    /// - Parameter object: the body; nil if that is not a JSON object.
    package init(_ object: JSONObject?) {
        (input, output, choices) = (0, nil, 1)
        guard let object else { return }
        var bytes = 0
        for name in Self.texts {
            guard let member = object.member(name) else { continue }
            var walker = JSONWalker(object.bytes, range: member.value)
            try? Self.count(&walker, object.bytes, into: &bytes)
        }
        input = (bytes + Self.bytesPerToken - 1) / Self.bytesPerToken
        output = Self.bounds.lazy.compactMap { Self.number(object, $0) }.first
        choices = max(Self.number(object, "n") ?? 1, 1)
    }

    /// The amount that is counted on a limit.
    /// - Parameter defaultOutput: of one choice, where the request does not bound it.
    /// - Returns: at most the limit; nil if the request alone is larger, so that it could never be let in.
    package func amount(of unit: RateCharge.Unit, limit: Int, defaultOutput: Int) -> Int? {
        let (product, isTooLarge) = (output ?? defaultOutput).multipliedReportingOverflow(by: choices)
        let output = isTooLarge ? limit : min(product, limit)
        switch unit {
        case .requests: return 1
        case .outputTokens: return max(output, 1)
        case .inputTokens: return input <= limit ? max(input, 1) : nil
        case .tokens: return input <= limit ? max(min(input + output, limit), 1) : nil
        }
    }

    private static func number(_ object: JSONObject, _ name: String) -> Int? {
        guard let member = object.member(name), member.kind == .number else { return nil }
        return Int(String(decoding: object.bytes[member.value], as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func count(
        _ walker: inout JSONWalker, _ bytes: [UInt8], into count: inout Int
    ) throws(JSONScanError) {
        switch try walker.kind() {
        case .string:
            guard let (range, hasEscapes) = try walker.text() else { return }
            count += hasEscapes ? JSONText.unescaped(bytes[range])?.utf8.count ?? range.count : range.count
        case .array:
            try walker.elements { (walker) throws(JSONScanError) in try Self.count(&walker, bytes, into: &count) }
        case .object:
            try walker.members { (walker, name) throws(JSONScanError) in
                if parts.contains(where: { bytes[name].elementsEqual($0.utf8) }) {
                    try Self.count(&walker, bytes, into: &count)
                }
            }
        case .number, .true, .false, .null: try walker.skip()
        }
    }
}

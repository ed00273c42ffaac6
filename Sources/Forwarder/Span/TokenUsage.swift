internal import Common
internal import JSON

/// The usage that a provider states for a completion, in tokens.
struct TokenUsage: Sendable, Equatable {
    var input: Int?
    var output: Int?
    var total: Int?
    /// Parts of `input`: tokens read from a cache, audio.
    var cached: Int?
    var inputAudio: Int?
    /// Parts of `output`: tokens of reasoning, audio, a prediction that was accepted or rejected.
    var reasoning: Int?
    var outputAudio: Int?

    /// Reads a `usage` object of the Chat Completions API; nil if it counts nothing.
    init?(_ piece: ByteSlice) {
        do throws(JSONScanError) { try read(piece) } catch { return nil }
        guard input != nil || output != nil || total != nil else { return nil }
    }

    /// Langfuse's `usage_details`. Langfuse adds up the numbers whose names begin with `input` and with `output`, and
    /// prices each by itself. So the parts are taken out of the two sums, as Langfuse does when it reads OpenAI's
    /// usage.
    var details: [(name: String, count: Int)] {
        let parts: [(String, Int?)] = [
            ("input", input.map { max($0 - (cached ?? 0) - (inputAudio ?? 0), 0) }),
            ("output", output.map { max($0 - (reasoning ?? 0) - (outputAudio ?? 0), 0) }),
            ("total", total ?? sum), ("input_cached_tokens", cached), ("input_audio_tokens", inputAudio),
            ("output_reasoning_tokens", reasoning), ("output_audio_tokens", outputAudio),
        ]
        return parts.compactMap { name, count in count.map { (name, $0) } }
    }

    private var sum: Int? {
        guard let input, let output else { return nil }
        let (sum, isTooLarge) = input.addingReportingOverflow(output)
        return isTooLarge ? nil : sum
    }

    private mutating func read(_ piece: ByteSlice) throws(JSONScanError) {
        var walker = JSONWalker(piece.bytes, range: piece.range)
        try walker.members { (walker, name) throws(JSONScanError) in
            // The second names are those of the Responses API and of Anthropic.
            if walker.isName(name, "prompt_tokens") || walker.isName(name, "input_tokens") {
                input = try Self.count(&walker, in: piece)
            } else if walker.isName(name, "completion_tokens") || walker.isName(name, "output_tokens") {
                output = try Self.count(&walker, in: piece)
            } else if walker.isName(name, "total_tokens") {
                total = try Self.count(&walker, in: piece)
            } else if walker.isName(name, "prompt_cache_hit_tokens"), cached == nil {
                // DeepSeek's name.
                cached = try Self.count(&walker, in: piece)
            } else if walker.isName(name, "prompt_tokens_details") {
                try walker.members { (walker, name) throws(JSONScanError) in
                    if walker.isName(name, "cached_tokens") { cached = try Self.count(&walker, in: piece) }
                    if walker.isName(name, "audio_tokens") { inputAudio = try Self.count(&walker, in: piece) }
                }
            } else if walker.isName(name, "completion_tokens_details") {
                try walker.members { (walker, name) throws(JSONScanError) in
                    if walker.isName(name, "reasoning_tokens") { reasoning = try Self.count(&walker, in: piece) }
                    if walker.isName(name, "audio_tokens") { outputAudio = try Self.count(&walker, in: piece) }
                }
            }
        }
    }

    /// No completion has more tokens, and sums of such counts are numbers everywhere.
    private static let highestCount = 1_000_000_000

    /// A whole number that is not negative; nil for anything else.
    private static func count(_ walker: inout JSONWalker, in piece: ByteSlice) throws(JSONScanError) -> Int? {
        let value = try walker.skip()
        return Int(ByteSlice(piece.bytes, value).text).flatMap { (0...highestCount).contains($0) ? $0 : nil }
    }
}

internal import Common
internal import JSON

/// Token counts in attributes of OpenTelemetry's (`gen_ai.usage.…`) and OpenInference's (`llm.token_count.…`), as
/// Langfuse counts them: tokens of a cache, of reasoning and of audio are taken out of input and output.
struct AttributeUsage {
    private static let prefixes = ["gen_ai.usage.", "llm.token_count."]

    /// Langfuse's names, each with those that attributes have, the first that is there counts.
    private static let input = ["prompt_tokens", "input_tokens", "prompt"]
    private static let output = ["completion_tokens", "output_tokens", "completion"]
    private static let total = ["total_tokens", "total"]
    private static let cacheRead = [
        "cache_read.input_tokens", "cache_read_input_tokens", "cache_read_tokens", "details.cache_read_tokens",
        "details.cache_read_input_tokens", "prompt_details.cache_read", "input_cached_tokens",
    ]
    private static let cacheCreation = [
        "cache_creation.input_tokens", "cache_creation_input_tokens", "cache_write_tokens",
        "details.cache_write_tokens", "details.cache_creation_input_tokens", "prompt_details.cache_write",
        "input_cache_creation",
    ]
    private static let reasoning = ["reasoning.output_tokens", "completion_details.reasoning"]
    private static let audio = ["completion_details.audio"]
    private static let known = Set(
        (input + output + total + cacheRead + cacheCreation + reasoning + audio + ["cost"]).map { UTF8Text($0) })

    private var given: [UTF8Text: Double] = [:]
    private(set) var counts: [(name: String, count: Double)] = []

    init(_ attributes: OTLPAttributes) {
        for (key, value) in attributes.values {
            guard let prefix = Self.prefixes.first(where: { key.text.hasPrefix($0) }),
                let count = value.text.flatMap({ Double($0) }), count >= 0, count.isFinite
            else { continue }
            given[UTF8Text(String(Substring(key.text.utf8.dropFirst(prefix.utf8.count))))] = count
        }
        let (read, created) = (first(Self.cacheRead), first(Self.cacheCreation))
        let (reasoning, audio) = (first(Self.reasoning), first(Self.audio))
        // Traceloop has the total under a name of its own.
        let total = first(Self.total) ?? attributes.text("llm.usage.total_tokens").flatMap { Double($0) }
        add("input", first(Self.input).map { max($0 - (read ?? 0) - (created ?? 0), 0) })
        add("output", first(Self.output).map { max($0 - (reasoning ?? 0) - (audio ?? 0), 0) })
        add("total", total.flatMap { $0 >= 0 && $0.isFinite ? $0 : nil })
        add("input_cached_tokens", read)
        add("input_cache_creation", created)
        add("output_reasoning_tokens", reasoning)
        add("output_audio_tokens", audio)
        for (name, count) in given.sorted(by: { $0.key < $1.key }) where !Self.known.contains(name) {
            let details = "details."
            let isDetail = name.text.hasPrefix(details)
            add(isDetail ? String(Substring(name.text.utf8.dropFirst(details.utf8.count))) : name.text, count)
        }
    }

    private func first(_ names: [String]) -> Double? { names.lazy.compactMap { given[UTF8Text($0)] }.first }

    private mutating func add(_ name: String, _ count: Double?) {
        guard let count, !counts.contains(where: { $0.name == name }) else { return }
        counts.append((name, count))
    }
}

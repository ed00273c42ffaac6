internal import Common

/// Tokens as Langfuse counts them (`usageDetails`), told as OpenAI's `usage`, which the provider gave.
enum StoredUsage {
    /// Numbers of tokens that are believed.
    private static let possible = 0...(1 << 50)

    /// A JSON object; `null` if nothing was counted.
    /// - Parameter row: what has the member `usageDetails`.
    static func json(of row: LangfuseJSON) -> [UInt8] {
        guard let details = row.nested("usageDetails") else { return LangfuseJSON.null }
        let counts = details.names.compactMap { name in details.number(name).map { (name: name, count: $0) } }.filter {
            possible.contains($0.count)
        }
        // Langfuse's sums leave out their parts, each of which has a name of its own.
        let input = sum(counts.filter { $0.name.hasPrefix("input") }.map(\.count))
        let output = sum(counts.filter { $0.name.hasPrefix("output") }.map(\.count))
        let total = counts.first { $0.name == "total" }?.count ?? sum([input, output].compactMap(\.self))
        var members: [String] = []
        for (name, count) in [("prompt_tokens", input), ("completion_tokens", output), ("total_tokens", total)] {
            if let count { members.append("\"\(name)\":\(count)") }
        }
        guard !members.isEmpty else { return LangfuseJSON.null }
        for (name, parts) in parts {
            let known = parts.compactMap { part, source in
                counts.first { $0.name == source }.map { "\"\(part)\":\($0.count)" }
            }
            if !known.isEmpty { members.append("\"\(name)\":{\(known.joined(separator: ","))}") }
        }
        return Array("{\(members.joined(separator: ","))}".utf8)
    }

    private static let parts = [
        ("prompt_tokens_details", [("cached_tokens", "input_cached_tokens"), ("audio_tokens", "input_audio_tokens")]),
        (
            "completion_tokens_details",
            [("reasoning_tokens", "output_reasoning_tokens"), ("audio_tokens", "output_audio_tokens")]
        ),
    ]

    private static func sum(_ counts: [Int]) -> Int? { counts.isEmpty ? nil : counts.reduce(0, &+) }
}

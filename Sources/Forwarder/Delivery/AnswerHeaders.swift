internal import Common

/// Which of a provider's headers a client sees: what says how the answer is to be read, and what its SDK reads for retries and support.
/// Hop-by-hop, length and encoding headers belong to the provider's connection; cookies and redirects to its host.
enum AnswerHeaders {
    private static let names: Set<[UInt8]> = Set(
        [
            "content-type", "content-disposition", "content-language", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id",
            "request-id",
            "apim-request-id", "x-ms-request-id", "cf-ray", "warning", "deprecation", "sunset",
        ].map { Array($0.utf8) })
    private static let prefixes = ["openai-", "anthropic-", "x-litellm-"].map { Array($0.utf8) }
    /// In whatever place: `x-ratelimit-limit-requests`, `anthropic-ratelimit-…`, `ratelimit-reset`.
    private static let rateLimit = Array("ratelimit".utf8)

    static func select(from headers: [HeaderField]) -> [HeaderField] {
        headers.filter { header in
            let name = header.name.utf8.map(\.asciiLowercased)
            return names.contains(name) || prefixes.contains { name.starts(with: $0) } || holdsRateLimit(name)
        }
    }

    /// Compares bytes: this is asked of every header of every answer, and a search in strings was a thirtieth of a call's cost.
    private static func holdsRateLimit(_ name: [UInt8]) -> Bool {
        guard name.count >= rateLimit.count else { return false }
        return (0...name.count - rateLimit.count).contains { name[$0...].starts(with: rateLimit) }
    }
}

internal import Common

/// Which of a provider's headers a client sees: what says how the answer is to be read, and what its SDK reads for retries and support.
/// Hop-by-hop, length and encoding headers belong to the provider's connection; cookies and redirects to its host.
enum AnswerHeaders {
    private static let names: Set<String> = [
        "content-type", "content-disposition", "content-language", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id",
        "apim-request-id", "x-ms-request-id", "cf-ray", "warning", "deprecation", "sunset",
    ]
    private static let prefixes = ["openai-", "anthropic-", "x-litellm-"]

    static func select(from headers: [HeaderField]) -> [HeaderField] {
        headers.filter { header in
            let name = String(decoding: header.name.utf8.map(\.asciiLowercased), as: UTF8.self)
            return names.contains(name) || name.contains("ratelimit") || prefixes.contains { name.hasPrefix($0) }
        }
    }
}

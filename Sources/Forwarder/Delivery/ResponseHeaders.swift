internal import Common

/// Selects a provider's headers for the client: those for reading the answer, and its SDK's for retries and support.
/// Hop-by-hop and length headers belong to the provider's connection; cookies to its host. A redirection keeps its
/// `Location`: it is not followed, and the client must see why it got no answer.
enum ResponseHeaders {
    private static let names = [
        // Only a coding that was not undone is still in the head.
        "content-encoding", "content-type", "content-disposition", "content-language", "retry-after", "retry-after-ms",
        "x-should-retry",
        "x-request-id", "request-id", "apim-request-id", "x-ms-request-id", "cf-ray", "warning", "deprecation",
        "sunset",
    ].map { Array($0.utf8) }
    private static let prefixes = ["openai-", "anthropic-", "x-litellm-"].map { Array($0.utf8) }
    /// At any position in a name: `x-ratelimit-limit-requests`, `anthropic-ratelimit-…`, `ratelimit-reset`.
    private static let rateLimit = Array("ratelimit".utf8)

    private static let redirection = Array("location".utf8)

    /// - Parameter status: the answer's.
    static func select(from headers: [HeaderField], status: Int = 200) -> [HeaderField] {
        let isRedirection = (300..<400).contains(status)
        return headers.filter { header in
            var name = header.name
            return name.withUTF8 {
                isShown($0) || isRedirection && $0.count == redirection.count && holds($0, redirection, at: 0)
            }
        }
    }

    /// Compares bytes in place: this is asked of every header of every answer.
    private static func isShown(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        for known in names where known.count == name.count && holds(name, known, at: 0) { return true }
        for prefix in prefixes where holds(name, prefix, at: 0) { return true }
        guard name.count >= rateLimit.count else { return false }
        for place in 0...name.count - rateLimit.count where holds(name, rateLimit, at: place) { return true }
        return false
    }

    private static func holds(_ name: UnsafeBufferPointer<UInt8>, _ text: [UInt8], at start: Int) -> Bool {
        guard name.count - start >= text.count else { return false }
        for place in text.indices where name[start + place].asciiLowercased != text[place] { return false }
        return true
    }
}

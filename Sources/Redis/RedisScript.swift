internal import Crypto

/// A Lua script that Redis runs as one atomic step, known to the server by its SHA-1.
///
/// Declare each as a constant, so that the digest is computed once.
package struct RedisScript: Sendable {
    /// The name for logs and metrics.
    package let name: String
    /// The Lua text.
    package let source: String
    /// The lower-case hexadecimal SHA-1 of the source: Redis's own name for the script, no security rests on it.
    package let digest: String

    /// Computes the digest.
    package init(name: String, source: String) {
        self.name = name
        self.source = source
        let hexadecimal = Array("0123456789abcdef".utf8)
        let digits = Insecure.SHA1.hash(data: Array(source.utf8)).flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] }
        digest = String(decoding: digits, as: UTF8.self)
    }
}

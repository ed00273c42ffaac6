internal import Crypto
internal import Text

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
        digest = String(hexadecimal: Array(Insecure.SHA1.hash(data: Array(source.utf8))))
    }
}

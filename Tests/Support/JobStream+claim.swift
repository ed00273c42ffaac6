internal import Common
package import Queue
package import Redis

extension JobStream {
    /// Takes over what was left behind, however late a busy machine's server comes to it: the question is dated an hour
    /// ahead.
    package func claim(upTo limit: Int, running: [String]) async throws(RedisError) -> [Delivery] {
        try await claim(upTo: limit, running: running, now: .now + .seconds(3600))
    }
}

internal import Common
package import Redis

/// The dead letters, for those who read them.
package struct DeadLetters: Sendable {
    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// The newest letters before one of them, newest first.
    /// - Parameter before: the entry of a letter; nil: from the newest on.
    package func page(before: String?, limit: Int) async throws(RedisError) -> [DeadLetter] {
        let reply = try await redis.send(
            RedisCommand("XREVRANGE", Keys.dead, before.map { "(" + $0 } ?? "+", "-", "COUNT", limit))
        return (reply.array ?? []).compactMap { DeadLetter($0) }
    }

    /// - Returns: nil if there is no such letter, or not any longer.
    package func letter(at entry: String) async throws(RedisError) -> DeadLetter? {
        let reply = try await redis.send(RedisCommand("XRANGE", Keys.dead, entry, entry))
        return (reply.array ?? []).first.flatMap { DeadLetter($0) }
    }

    /// - Returns: whether it was there until now.
    package func remove(_ entry: String) async throws(RedisError) -> Bool {
        try await redis.send(RedisCommand("XDEL", Keys.dead, entry)).int == 1
    }

    /// Whether a text is the id of an entry: milliseconds, and a number.
    package static func isEntry(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                (1...20).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) }
                    && UInt64(String(decoding: part, as: UTF8.self)) != nil
            }
    }
}

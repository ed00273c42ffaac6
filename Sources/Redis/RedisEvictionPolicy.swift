/// A Redis server's policy for a full memory (`maxmemory-policy`). Any but refusing writes loses recorded state.
package struct RedisEvictionPolicy: Sendable, Equatable {
    /// As Redis calls it, such as `allkeys-lru`.
    package let name: String

    package init(_ name: String) { self.name = name }

    /// The warning for the operator; nil if nothing is lost.
    package var warning: String? {
        guard name != "noeviction" else { return nil }
        return
            "Redis has maxmemory-policy \(name): when its memory is full it deletes ids of completions, answers and traces. "
            + "Set maxmemory-policy to noeviction"
    }

    /// Reads the answer to `INFO memory`. Nil if it does not tell.
    package init?(info: String) {
        let prefix = "maxmemory_policy:"
        guard let line = info.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix(prefix) }) else {
            return nil
        }
        name = String(line.dropFirst(prefix.count))
    }
}

extension RedisClient {
    /// The policy for a full memory; nil if unknown: managed servers and ACLs often forbid `CONFIG`, some `INFO` too.
    package func evictionPolicy() async -> RedisEvictionPolicy? {
        if let name = (try? await send(RedisCommand("CONFIG", "GET", "maxmemory-policy")))?[1].string {
            return RedisEvictionPolicy(name)
        }
        return (try? await send(RedisCommand("INFO", "memory")))?.string.flatMap { RedisEvictionPolicy(info: $0) }
    }
}

/// What a Redis server does when its memory is full (`maxmemory-policy`). Anything but refusing writes loses what the gateway has recorded.
package struct RedisEvictionPolicy: Sendable, Equatable {
    /// As Redis calls it, such as `allkeys-lru`.
    package let name: String

    package init(_ name: String) { self.name = name }

    /// What the operator should know; nil if nothing is lost.
    package var warning: String? {
        guard name != "noeviction" else { return nil }
        return "Redis has maxmemory-policy \(name): when its memory is full it deletes ids of completions, answers and traces. "
            + "Set maxmemory-policy to noeviction"
    }

    /// Reads the answer to `INFO memory`. Nil if it does not tell.
    package init?(info: String) {
        let prefix = "maxmemory_policy:"
        guard let line = info.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix(prefix) }) else { return nil }
        name = String(line.dropFirst(prefix.count))
    }
}

extension RedisClient {
    /// What the server does when its memory is full; nil if it does not tell. Managed servers and ACLs often forbid `CONFIG`, and some `INFO` too.
    package func evictionPolicy() async -> RedisEvictionPolicy? {
        if let name = (try? await send(RedisCommand("CONFIG", "GET", "maxmemory-policy")))?[1].string { return RedisEvictionPolicy(name) }
        return (try? await send(RedisCommand("INFO", "memory")))?.string.flatMap { RedisEvictionPolicy(info: $0) }
    }
}

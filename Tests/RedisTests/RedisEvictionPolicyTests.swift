import TestSupport
import Testing

@testable import Common
@testable import Redis

/// What a server does when its memory is full is known even where it does not let everything be asked.
@Suite(.timeLimit(.minutes(5))) struct RedisEvictionPolicyTests {
    @Test(arguments: [
        ("# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\nallocator:x\r\n", "allkeys-lru"),
        ("maxmemory_policy:noeviction\n", "noeviction"), ("# Memory\r\nmaxmemory:0\r\n", nil), ("", nil),
    ])
    func `is read from the server's own words`(info: String, name: String?) {
        #expect(RedisEvictionPolicy(info: info)?.name == name)
    }

    @Test(arguments: ["allkeys-lru", "volatile-lru", "allkeys-random", "volatile-ttl", "allkeys-lfu", "a-later-one"])
    func `all but noeviction is warned of`(name: String) throws {
        let warning = try #require(RedisEvictionPolicy(name).warning)
        #expect(warning.contains("maxmemory-policy \(name)") && warning.contains("to noeviction"))
        #expect(RedisEvictionPolicy("noeviction").warning == nil)
    }

    @Test(arguments: ["+@all", "-config", "-config -info"]) func `a server is asked in two ways`(
        rule: String
    ) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                _ = try await redis.send(RedisCommand("CONFIG", "SET", "maxmemory-policy", "volatile-lru"))
                for part in rule.split(separator: " ") {
                    _ = try await redis.send(RedisCommand("ACL", "SETUSER", "default", String(part)))
                }
                #expect(await redis.evictionPolicy()?.name == (rule.contains("info") ? nil : "volatile-lru"))
            }
        }
    }
}

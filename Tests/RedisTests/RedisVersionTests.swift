import Testing

@testable import Common
@testable import Redis

struct RedisVersionTests {
    private static func info(redis: String, valkey: String? = nil) -> String {
        "# Server\r\nredis_version:\(redis)\r\n"
            + (valkey.map { "server_name:valkey\r\nvalkey_version:\($0)\r\n" } ?? "") + "os:Linux\r\n"
    }

    @Test(arguments: [
        (info(redis: "7.0.15"), "Redis 7.0.15"), (info(redis: "8.6.3"), "Redis 8.6.3"),
        (info(redis: "7.2.4", valkey: "8.1.4"), "Valkey 8.1.4"),
        (info(redis: "8.8-rc1"), "Redis 8.8"), (info(redis: "7.0.15\",\"x\":\"1"), "Redis 7.0.15"),
        (info(redis: "1.2.3.4.5.6"), "Redis 1.2.3.4"),
    ])
    func `a server is what it says`(info: String, name: String) throws {
        #expect(try #require(RedisVersion(info: info)).description == name)
    }

    @Test(arguments: [
        "", "# Server\r\n", info(redis: ""), info(redis: "unknown"), info(redis: "99999999999999999999.1"),
        "redis_version",
    ])
    func `one that says nothing is not judged`(info: String) { #expect(RedisVersion(info: info) == nil) }

    /// The last version with a hole and the first without, of each line that was mended.
    @Test(arguments: [
        ("7.0.15", true, false), ("7.2.0", true, true), ("7.2.10", true, true), ("7.2.11", false, true),
        ("7.4.5", true, true),
        ("7.4.6", false, true),
        ("8.0.3", true, true), ("8.0.4", false, true), ("8.2.1", true, true), ("8.2.2", false, true),
        ("8.6.2", false, true), ("8.6.3", false, false),
        ("9.0.0", false, false),
    ])
    func `a Redis with a hole is warned of`(version: String, lua: Bool, blocked: Bool) throws {
        let warnings = try #require(RedisVersion(info: Self.info(redis: version))).warnings
        #expect(warnings.contains { $0.contains("CVE-2025-49844") } == lua)
        #expect(
            warnings.contains {
                $0.contains("CVE-2026-23479") && $0.contains("8.6.3") && $0.contains("maxmemory-clients")
            } == blocked)
        #expect(warnings.count == [lua, blocked].count { $0 })
        #expect(warnings.allSatisfy { $0.contains("Redis \(version) ") })
    }

    @Test(arguments: [
        ("7.2.10", true), ("7.2.11", false), ("8.0.5", true), ("8.0.6", false), ("8.1.3", true), ("8.1.4", false),
        ("9.0.0", false),
    ])
    func `a valkey is judged by its own version`(version: String, lua: Bool) throws {
        let warnings = try #require(RedisVersion(info: Self.info(redis: "7.2.4", valkey: version))).warnings
        #expect(
            warnings.count == (lua ? 1 : 0)
                && warnings.allSatisfy { $0.contains("Valkey \(version) ") && $0.contains("CVE-2025-49844") })
    }
}

import Testing

@testable import Ingress
@testable import Telemetry

/// What `/metrics` says of Redis.
struct RedisPageTests {
    @Test(arguments: [
        ("# Memory\r\nused_memory:1024\r\nused_memory_human:1K\r\nmaxmemory:4096\r\n", "1024", "4096"),
        ("used_memory:7\n", "7", "0"),
    ])
    func `memory is read from info`(info: String, used: String, most: String) throws {
        var page = Exposition()
        try #require(RedisMemory(info: info)).write(to: &page)
        let text = String(decoding: page.bytes, as: UTF8.self)
        #expect(text.contains("\ngateway_redis_used_memory_bytes \(used)\n"))
        #expect(text.contains("\ngateway_redis_maxmemory_bytes \(most)\n"))
    }

    @Test(arguments: ["", "used_memory:", "NOPERM", "used_memory_rss:1"]) func `a server that does not say is left out`(
        info: String
    ) {
        #expect(RedisMemory(info: info) == nil)
    }

    @Test(arguments: [
        ("demo", KeySampler.Kind.rollouts), ("project/main/demo", .rollouts), ("gateway/verified/main/demo", .rollouts),
        ("gateway/response/0190", .answers), ("gateway/responses/abc", .answers), ("gateway/idempotency/ff", .answers),
        ("gateway/logs/main/demo", .logs), ("gateway/span/0190", .traces), ("gateway/traces/main", .traces),
        ("gateway/jobs", .queue), ("gateway/jobs/bytes", .queue), ("gateway/rate/ab/slots", .rateLimits),
        ("gateway/key/fingerprint", .other), ("gateway/", .other),
    ])
    func `keys are known by their names`(key: String, kind: KeySampler.Kind) {
        #expect(KeySampler.Kind(key: key) == kind)
    }

    /// Two of four keys drawn are sets of 100 bytes together; of 1000 keys these are 25,000 bytes.
    @Test func `what was drawn stands for the rest`() {
        let drawn: [(KeySampler.Kind, Int)] = [(.rollouts, 40), (.rollouts, 60), (.logs, 20), (.other, 0)]
        let estimate = KeySampler.estimate(drawn, of: 1000)
        #expect(estimate.bytes == [.rollouts: 25_000, .logs: 5000, .other: 0])
        #expect(KeySampler.estimate([], of: 0).bytes.isEmpty)
    }
}

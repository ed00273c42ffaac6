internal import Redis
internal import Telemetry

/// The memory that Redis uses, and the most that it may use.
struct RedisMemory: Sendable {
    private let used: Int
    private let most: Int

    /// Nil where Redis does not say.
    init?(of redis: RedisClient) async {
        guard let info = try? await redis.send(RedisCommand("INFO", "memory")).string else { return nil }
        self.init(info: info)
    }

    /// - Parameter info: lines of `name:value`.
    init?(info: String) {
        var values: [Substring: Int] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, let value = Int(parts[1]) { values[parts[0]] = value }
        }
        guard let used = values["used_memory"] else { return nil }
        self.used = used
        most = values["maxmemory"] ?? 0
    }

    var figures: [(metric: MetricDescription, value: Int)] { [(Self.usedBytes, used), (Self.mostBytes, most)] }

    func write(to page: inout Exposition) {
        for (metric, value) in figures { page.write(metric, value) }
    }

    static let descriptions = [usedBytes, mostBytes]

    private static let usedBytes = MetricDescription(
        "gateway_redis_used_memory_bytes", .gauge, help: "Bytes that Redis has allocated (used_memory of INFO).")
    private static let mostBytes = MetricDescription(
        "gateway_redis_maxmemory_bytes", .gauge,
        help: "Bytes that Redis may allocate (maxmemory); 0: as many as there are. At the bound it refuses writes.")
}

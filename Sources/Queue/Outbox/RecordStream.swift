package import Common
package import Redis

/// The stream on which records of things that never were jobs wait for the request log (``RecordOutbox``).
package struct RecordStream: Sendable {
    /// Records that are added by one script.
    private static let step = 128

    /// Adds records to their stream.
    ///
    /// - KEYS[1]: the stream of records
    /// - KEYS[2]: bytes of what waits for the request log
    /// - ARGV, for each record: its id, the sealed record
    ///
    /// Output: number of records. 0 where no process has kept the log, so that there is no stream.
    private static let add = RedisScript(
        name: "addRecords",
        source: """
            if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
            local bytes = 0
            for index = 1, #ARGV, 2 do
                redis.call('XADD', KEYS[1], '*', 'i', ARGV[index], 'p', ARGV[index + 1])
                bytes = bytes + #ARGV[index + 1]
            end
            if bytes > 0 then redis.call('INCRBY', KEYS[2], bytes) end
            return #ARGV / 2
            """)

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Adds sealed records, in their order.
    /// - Parameter lost: the number of others that there was no room for.
    package func add(_ records: [(id: InsertionID, sealed: [UInt8])], lost: Int) async throws(RedisError) {
        for start in stride(from: 0, to: records.count, by: Self.step) {
            let part = records[start..<min(start + Self.step, records.count)]
            _ = try await redis.evaluate(Self.add, keys: [Keys.requests, Keys.requestBytes]) { command in
                for record in part {
                    command.append(record.id.description)
                    command.append(record.sealed)
                }
            }
        }
        if lost > 0 { _ = try await redis.send(RedisCommand("INCRBY", Keys.requestsLost, lost)) }
    }
}

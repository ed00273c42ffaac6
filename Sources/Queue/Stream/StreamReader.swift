package import Common
package import Redis

/// Looks at streams as a person does: nothing is taken from them.
package struct StreamReader: Sendable {
    /// The most workers of a group that are named; the others are counted.
    package static let workers = 100

    /// A stream, and the prefix of the keys by which its workers say that they live.
    package struct Stream: Sendable {
        package var key: String
        package var livenessPrefix: String?

        package init(key: String, livenessPrefix: String? = nil) {
            self.key = key
            self.livenessPrefix = livenessPrefix
        }

        package init(_ queue: WorkQueue) { self.init(key: queue.stream, livenessPrefix: queue.livenessPrefix) }
    }

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// - Returns: as many as there are streams. One that does not exist is empty.
    package func states(of streams: [Stream]) async throws(RedisError) -> [StreamState] {
        let reply = try await redis.evaluate(JobScripts.look, keys: streams.map(\.key)) { command in
            command.append(Self.workers)
            for stream in streams { command.append(stream.livenessPrefix ?? "") }
        }
        let now = (reply[0].int ?? 0) * 1000 + (reply[1].int ?? 0) / 1000
        return streams.enumerated().map { index, stream in
            Self.state(reply[2 + index], of: stream, now: now)
        }
    }

    private static func state(_ reply: RedisValue, of stream: Stream, now: Int) -> StreamState {
        let oldest = (reply[1].string ?? "").utf8.split(separator: UInt8(ascii: "-")).first
        let time = oldest.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        return StreamState(
            key: stream.key, length: reply[0].int ?? 0, age: time.map { max(now - $0, 0) },
            groups: (reply[2].array ?? []).map { group in
                let lag = group[1].int ?? -1
                return StreamState.Group(
                    name: group[0].string ?? "", lag: lag < 0 ? nil : lag, pending: group[2].int ?? 0,
                    workers: (group[4].array ?? []).map { worker in
                        StreamState.Worker(
                            name: worker[0].string ?? "", pending: worker[1].int ?? 0, idle: worker[2].int ?? 0,
                            isAlive: stream.livenessPrefix == nil ? nil : worker[3].int == 1)
                    }, workerCount: group[3].int ?? 0)
            })
    }
}

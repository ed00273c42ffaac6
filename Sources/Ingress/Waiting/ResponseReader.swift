internal import Common
internal import Logging
internal import Queue
internal import Redis
internal import ServiceLifecycle

/// Reads the frames of all answers of this process from its one response stream: one blocked reader however many
/// requests wait, and nothing is lost over a broken connection, because reading goes on from the last entry.
final class ResponseReader: Service {
    /// The stream's life without a heartbeat. Longer than a Redis that restarts is away.
    private static let life = Duration.seconds(60)
    private static let heartbeat = Duration.seconds(5)
    private static let wait = Duration.seconds(1)
    private static let largestBatch = 512

    private let key: String
    private let redis: RedisClient
    private let pending: PendingRequests
    private let logger: Logger

    /// - Parameters:
    ///   - key: this process's response stream.
    ///   - redis: a client of its own, which no other part runs or uses, since reading blocks it.
    init(key: String, redis: RedisClient, pending: PendingRequests, logger: Logger) {
        self.key = key
        self.redis = redis
        self.pending = pending
        self.logger = logger
    }

    func run() async throws {
        try await redis.run(beside: { [self] in await read() })
    }

    private func read() async {
        var position = Position()
        while !Task.isCancelled {
            do {
                try await redis.waitUntilReady(timeout: Self.wait)
                try await turn(&position)
            } catch {
                position.isAttached = false
                logger.debug("response stream interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private struct Position {
        var isAttached = false
        var last = StreamPosition.start
        var beat = ContinuousClock.now
        /// Entries of one read. Halved when a read fails, since it may have been too much at once, and doubled when one
        /// goes well.
        var batch = ResponseReader.largestBatch
    }

    private func turn(_ position: inout Position) async throws(RedisError) {
        if !position.isAttached { try await attach(&position) }
        var batch: [RedisCommand] = []
        if position.last > .start { batch.append(RedisCommand("XTRIM", key, "MINID", position.last.next.description)) }
        let beats = position.beat.duration(to: .now) >= Self.heartbeat
        if beats { batch.append(RedisCommand("EXPIRE", key, Int(Self.life.components.seconds))) }
        batch.append(
            RedisCommand(
                "XREAD", "COUNT", position.batch, "BLOCK", Int(Self.wait.milliseconds), "STREAMS", key,
                position.last.description))
        let replies: [RedisValue]
        do throws(RedisError) { replies = try await redis.send(batch: batch, timeout: Self.wait + .seconds(5)) } catch {
            position.batch = max(position.batch / 2, 1)
            throw error
        }
        if beats {
            position.beat = .now
            position.isAttached = replies[replies.count - 2].int == 1
        }
        for entry in try replies[replies.count - 1].get()[0][1].array ?? [] {
            position.last = entry[0].string.flatMap(StreamPosition.init) ?? position.last
            receive(entry[1])
        }
        position.batch = min(position.batch * 2, Self.largestBatch)
    }

    /// Makes the stream exist. If it had gone, answers were kept under the jobs' own keys meanwhile: they are looked up
    /// there.
    private func attach(_ position: inout Position) async throws(RedisError) {
        let existed =
            try await redis.evaluate(JobScripts.attach, keys: [key], arguments: Int(Self.life.components.seconds)).int
            == 1
        if !existed {
            position.last = .start
            for id in pending.ids {
                let kept = try await redis.send(RedisCommand("XRANGE", Keys.response(id), "-", "+"))
                for entry in kept.array ?? [] { receive(entry[1]) }
            }
        }
        position.isAttached = true
        position.beat = .now
    }

    /// - Parameter fields: `i`, the insertion id, and `p`, the sealed frame. The entry that made the stream has
    ///   neither.
    private func receive(_ fields: RedisValue) {
        guard fields[0].string == "i", let id = fields[1].string.flatMap({ InsertionID($0) }),
            let frame = fields[3].bytes
        else { return }
        pending.receive(frame, for: id)
    }
}

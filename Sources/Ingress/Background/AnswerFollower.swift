internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// Follows the answers of jobs that are kept under keys of their own, for whoever asks at this ingress: one blocked read for all of them.
final class AnswerFollower: Service {
    private static let wait = Duration.seconds(1)
    private static let batch = 256

    private struct Followed {
        /// The last entry that was read.
        var position = "0-0"
        var waiters: [Waiter] = []
    }

    private let bell: String
    private let redis: RedisClient
    private let commands: RedisClient
    private let logger: Logger
    private let followed = NIOLockedValueBox<[InsertionID: Followed]>([:])
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - bell: the stream that wakes the blocked read.
    ///   - redis: a client of its own, which nobody else runs or uses, since reading blocks it.
    ///   - commands: the client that rings.
    init(bell: String, redis: RedisClient, commands: RedisClient, logger: Logger) {
        self.bell = bell
        self.redis = redis
        self.commands = commands
        self.logger = logger
        (arrivals, arrived) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Follows an answer from its beginning. A reader that was there before gets frames twice, and knows them by their numbers.
    func follow(_ id: InsertionID, deadline: UInt64) async -> Waiter {
        let waiter = Waiter(id: id, deadline: deadline)
        followed.withLockedValue { followed in
            followed[id, default: Followed()].position = "0-0"
            followed[id, default: Followed()].waiters.append(waiter)
        }
        arrived.yield()
        // Unheard, it is noticed when the read ends by itself.
        _ = try? await commands.send(batch: [RedisCommand("XADD", bell, "MAXLEN", 1, "*", "b", ""), RedisCommand("EXPIRE", bell, 60)])
        return waiter
    }

    /// Ends a wait early; what has come can still be taken.
    func leave(_ waiter: Waiter, as ending: Waiter.Ending = .disconnected) {
        followed.withLockedValue { followed in
            followed[waiter.id]?.waiters.removeAll { $0 === waiter }
            if followed[waiter.id]?.waiters.isEmpty ?? false { followed[waiter.id] = nil }
        }
        waiter.end(ending)
    }

    /// Ends all waits.
    func abandonAll(as ending: Waiter.Ending) {
        for waiter in followed.withLockedValue({ $0.values.flatMap(\.waiters) }) { leave(waiter, as: ending) }
    }

    /// How many answers are followed.
    var count: Int { followed.withLockedValue { $0.count } }

    func run() async throws {
        try await redis.run(beside: { [self] in await read() })
    }

    private func read() async {
        var arrivals = arrivals.makeAsyncIterator()
        var heard = "0-0"
        while !Task.isCancelled {
            endOverdue()
            if count == 0 { await arrivals.next() }
            do {
                try await redis.waitUntilReady(timeout: Self.wait)
                try await turn(&heard)
            } catch {
                logger.debug("followed answers interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func turn(_ heard: inout String) async throws(RedisError) {
        let positions = followed.withLockedValue { $0.map { (id: $0.key, position: $0.value.position) } }
        guard !positions.isEmpty else { return }
        var command = RedisCommand("XREAD", "COUNT", Self.batch, "BLOCK", Int(Self.wait.milliseconds), "STREAMS", bell)
        command.append(contentsOf: positions.map { Keys.response($0.id) })
        command.append(heard)
        command.append(contentsOf: positions.map(\.position))
        let reply = try await redis.send(command, timeout: Self.wait + .seconds(5))
        let byKey = Dictionary(uniqueKeysWithValues: positions.map { (Keys.response($0.id), $0) })
        for stream in reply.array ?? [] {
            guard let last = stream[1].array?.last?[0].string else { continue }
            guard let asked = stream[0].string.flatMap({ byKey[$0] }) else {
                heard = last
                continue
            }
            hand(stream[1].array ?? [], of: asked.id, readFrom: asked.position, to: last)
        }
    }

    private func hand(_ entries: [RedisValue], of id: InsertionID, readFrom start: String, to end: String) {
        let waiters = followed.withLockedValue { followed in
            // Somebody came meanwhile, for whom it is read again from the beginning.
            guard followed[id]?.position == start else { return [Waiter]() }
            followed[id]?.position = end
            return followed[id]?.waiters ?? []
        }
        for entry in entries {
            guard let frame = entry[1][3].bytes else { continue }
            for waiter in waiters { waiter.receive(frame) }
        }
    }

    private func endOverdue() {
        let now = UnixTime.milliseconds
        let overdue = followed.withLockedValue { $0.values.flatMap { $0.waiters.filter { $0.deadline <= now } } }
        for waiter in overdue { leave(waiter, as: .deadline) }
    }
}

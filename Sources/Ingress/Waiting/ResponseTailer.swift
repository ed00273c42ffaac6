internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import Redis
internal import ServiceLifecycle

/// Follows answers that are kept under their jobs' own keys, for clients of this ingress: one blocked read for all.
///
/// An answer stays in Redis while its reader is slow: it is read on only while its request has room.
final class ResponseTailer: Service {
    private static let wait = Duration.seconds(1)

    private let wakeUp: String
    private let redis: RedisClient
    private let commands: RedisClient
    /// Bytes that may wait here for one reader.
    private let window: Int
    private let logger: Logger
    private let followed = NIOLockedValueBox(TailedResponses())
    private let rings: AsyncStream<Void>
    private let ringer: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - wakeUp: the stream that wakes the blocked read.
    ///   - redis: a client of its own, which no other part runs or uses, since reading blocks it.
    ///   - commands: the client that rings.
    ///   - window: bytes of an answer that may wait for its reader.
    init(wakeUp: String, redis: RedisClient, commands: RedisClient, window: Int, logger: Logger) {
        self.wakeUp = wakeUp
        self.redis = redis
        self.commands = commands
        self.window = window
        self.logger = logger
        (rings, ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Follows an answer from its beginning.
    /// - Parameter deadline: when the wait ends if nothing more has come until then.
    func follow(_ id: InsertionID, deadline: Deadline) -> PendingRequest {
        let request = PendingRequest(id: id, deadline: deadline, window: window, onRoom: { [ringer] in ringer.yield() })
        followed.withLockedValue { $0.add(request) }
        ringer.yield()
        return request
    }

    /// Ends a wait early; what has come can still be taken.
    func leave(_ request: PendingRequest, as ending: PendingRequest.Ending = .disconnected) {
        followed.withLockedValue { $0.remove(request) }
        request.end(ending)
    }

    /// Ends all waits.
    func abandonAll(as ending: PendingRequest.Ending) {
        for request in followed.withLockedValue({ $0.requests }) { leave(request, as: ending) }
    }

    /// The number of readers that follow answers.
    var count: Int { followed.withLockedValue { $0.requests.count } }

    func run() async throws {
        try await redis.run(beside: { [self] in
            await withDiscardingTaskGroup { group in
                group.addTask { await self.ring() }
                group.addTask { await self.read() }
            }
        })
    }

    /// Wakes the blocked read, so that it asks for what is new. Unheard, that is noticed when the read ends by itself.
    private func ring() async {
        for await _ in rings {
            _ = try? await commands.send(batch: [
                RedisCommand("XADD", wakeUp, "MAXLEN", 1, "*", "b", ""), RedisCommand("EXPIRE", wakeUp, 60),
            ])
        }
    }

    private func read() async {
        var heard = StreamPosition.start
        var budget = TailedResponses.ReadBudget()
        while !Task.isCancelled {
            let asked = followed.withLockedValue { $0.next(within: budget) }
            do {
                try await redis.waitUntilReady(timeout: Self.wait)
                try await read(asked, heard: &heard)
                budget.succeeded()
            } catch {
                budget.failed()
                logger.debug("followed answers interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(20))
            }
            let overdue = followed.withLockedValue { $0.overdue(asked) }
            for request in overdue { leave(request, as: .deadline) }
        }
    }

    private func read(_ asked: TailedResponses.Read, heard: inout StreamPosition) async throws(RedisError) {
        var command = RedisCommand(
            "XREAD", "COUNT", asked.entries, "BLOCK", Int(Self.wait.milliseconds), "STREAMS", wakeUp)
        command.append(contentsOf: asked.positions.keys.map(Keys.response))
        command.append(heard.description)
        command.append(contentsOf: asked.positions.values.map(\.description))
        let reply = try await redis.send(command, timeout: Self.wait + .seconds(5))
        let ids = Dictionary(uniqueKeysWithValues: asked.positions.keys.map { (Keys.response($0), $0) })
        for stream in reply.array ?? [] {
            let entries = (stream[1].array ?? []).compactMap { entry in
                entry[0].string.flatMap(StreamPosition.init).map {
                    TailedResponses.Entry(position: $0, frame: entry[1][3].bytes)
                }
            }
            if let id = stream[0].string.flatMap({ ids[$0] }), let start = asked.positions[id] {
                followed.withLockedValue { $0.hand(entries, of: id, readFrom: start) }
            } else {
                heard = entries.last?.position ?? heard
            }
        }
    }
}

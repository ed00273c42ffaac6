internal import Common
internal import JSON
internal import Queue
internal import Redis

/// The completions of a rollout whose traces were not seen yet, in the order in which they came, each with its stage.
/// The page of a rollout shows them while it runs.
struct OpenCompletions: Sendable {
    /// The stage that a completion has reached.
    enum Stage: String, Sendable {
        /// It waits, or is called, and nothing of its answer is there yet.
        case queued
        /// Its answer has begun.
        case running
        /// It has ended, and its trace waits to be sent.
        case waits
        /// The trace store took its trace, and has not shown it yet.
        case accepted
        /// It has ended, and the gateway has no trace of it.
        case missing
        /// A LiteLLM proxy writes its trace, of which the gateway has nothing.
        case proxy
    }

    /// Of a larger rollout nothing is told.
    static let mostIDs = 10_000
    /// The completions that are told of; the others are counted.
    static let mostOpen = 100
    /// A span that may live longer than this waits to be sent; one that was accepted may not.
    private static let accepted = 3600

    let redis: RedisClient
    let keySpace: KeySpace
    /// No call takes longer (`REQUEST_TIMEOUT`).
    let longestWait: Duration
    /// Whether a LiteLLM proxy writes the traces.
    let isTracedByProxy: Bool

    /// The rollout that a path asks for; nil if it is another path.
    static func rollout(in path: String) -> String? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1].elementsEqual("rollouts".utf8), parts[3].elementsEqual("open".utf8),
            let bytes = PercentDecoding.bytes(parts[2])
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// - Returns: `{"open":[{"insertion_id","since","stage"}],"left_out"}`.
    func answer(
        of rollout: Rollout, now: Timestamp = .now
    ) async throws(GatewayError) -> [UInt8] {
        let found: (open: [(id: InsertionID, stage: Stage)], leftOut: Int)
        do throws(RedisError) { found = try await open(of: rollout, now: now) } catch {
            throw .queueUnavailable(error)
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("open") { writer in
                writer.array(found.open) { writer, completion in
                    writer.object { writer in
                        writer.member("insertion_id", completion.id.description)
                        writer.member("since", completion.id.time.iso8601)
                        writer.member("stage", completion.stage.rawValue)
                    }
                }
            }
            writer.member("left_out", found.leftOut)
        }
        return writer.bytes
    }

    private func open(
        of rollout: Rollout, now: Timestamp
    ) async throws(RedisError) -> (open: [(id: InsertionID, stage: Stage)], leftOut: Int) {
        let set = keySpace.set(of: rollout)
        // Something else may stand under the rollout's name.
        let replies = try await redis.send(batch: [RedisCommand("SCARD", set)])
        let count = (try? replies[0].get())?.int ?? 0
        guard (1...Self.mostIDs).contains(count) else { return ([], count) }
        let command = RedisCommand("SDIFF", set, Keys.verified(of: rollout))
        let ids = (try await redis.send(command).array ?? []).compactMap { $0.string.flatMap { InsertionID($0) } }
            .sorted()
        let shown = ids.prefix(Self.mostOpen)
        guard !shown.isEmpty else { return ([], 0) }
        let told = try await redis.send(
            batch: shown.flatMap { [RedisCommand("TTL", Keys.span($0)), RedisCommand("EXISTS", Keys.started($0))] })
        let ended = try await ended(Array(shown), of: rollout)
        var open: [(id: InsertionID, stage: Stage)] = []
        for (index, id) in shown.enumerated() {
            if ended.contains(id) {
                open.append((id, .proxy))
                continue
            }
            let (life, started) = (try told[2 * index].get().int ?? -2, try told[2 * index + 1].get().int == 1)
            open.append((id, stage(life: life, hasStarted: started, age: now.elapsed(since: id.time))))
        }
        return (open, ids.count - shown.count)
    }

    /// The completions whose calls have ended, and whose traces a proxy writes.
    private func ended(
        _ ids: [InsertionID], of rollout: Rollout
    ) async throws(RedisError) -> Set<InsertionID> {
        guard isTracedByProxy else { return [] }
        var command = RedisCommand("SMISMEMBER", Keys.ended(of: rollout))
        command.append(contentsOf: ids.map(\.description))
        let reply = try await redis.send(command)
        return Set(ids.indices.filter { reply[$0].int == 1 }.map { ids[$0] })
    }

    /// - Parameters:
    ///   - life: what is left to the completion's span, in seconds; -2: there is none.
    ///   - age: of the completion.
    func stage(life: Int, hasStarted: Bool, age: Duration) -> Stage {
        if life > Self.accepted { return .waits }
        // One without an end is waiting, too: nothing takes it away.
        if life != -2 { return life == -1 ? .waits : .accepted }
        if age < longestWait { return hasStarted ? .running : .queued }
        return isTracedByProxy ? .proxy : .missing
    }
}

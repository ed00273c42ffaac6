package import Common
internal import Queue
internal import Redis

/// Reads a rollout's set in pieces. It also records which ids were seen in the trace store, and deletes their kept
/// spans.
struct RolloutReader: Sendable {
    /// Members of a set that are asked for at a time: a piece takes Redis about a millisecond.
    static let pieceSize = 2000
    /// Ids that are written at a time.
    static let writtenAtOnce = 1000

    let redis: RedisClient
    let keySpace: KeySpace
    /// The time for which seen ids are remembered: as long as the set may live.
    let life: Duration

    /// The set's ids and which of them are still to be found.
    func read(_ rollout: Rollout, failed: Int) async throws(RedisError) -> RolloutReading {
        let set = keySpace.set(of: rollout)
        let verified = Keys.verified(of: rollout)
        var reading = RolloutReading(ids: [], pending: [], failed: failed)
        var strangers: Set<UTF8Text> = []
        var cursor = "0"
        repeat {
            let reply = try await redis.send(RedisCommand("SSCAN", set, cursor, "COUNT", Self.pieceSize))
            cursor = reply[0].string ?? "0"
            let members = reply[1].array ?? []
            guard !members.isEmpty else { continue }
            var command = RedisCommand("SMISMEMBER", verified)
            for member in members { command.append(member.bytes ?? []) }
            let seen = try await redis.send(command)
            for (index, member) in members.enumerated() {
                guard let text = member.string else { continue }
                if let id = InsertionID(text) {
                    reading.ids.append(id)
                    if seen[index].int != 1 { reading.pending.append(id) }
                } else {
                    strangers.insert(text)
                }
            }
        } while cursor != "0" && !Task.isCancelled
        reading.ids.sortUniquely()
        reading.pending.sortUniquely()
        reading.strangerCount = strangers.count
        reading.strangers = strangers.sorted().prefix(RolloutReading.mostStrangers).map(\.text)
        return reading
    }

    /// Records that ids were seen in the trace store, and deletes their kept spans.
    func remember(_ ids: [InsertionID], of rollout: Rollout) async throws(RedisError) {
        let key = Keys.verified(of: rollout)
        for start in stride(from: 0, to: ids.count, by: Self.writtenAtOnce) {
            var command = RedisCommand("SADD", key)
            command.append(contentsOf: ids[start..<min(start + Self.writtenAtOnce, ids.count)].map(\.description))
            let expire = RedisCommand("EXPIRE", key, Int(life.components.seconds))
            for reply in try await redis.send(batch: [command, expire]) { _ = try reply.get() }
            // What was seen need not be sent again, and takes Redis' memory otherwise.
            let part = Array(ids[start..<min(start + Self.writtenAtOnce, ids.count)])
            try await SpanOutbox.forget(part, of: rollout.project, through: redis)
        }
    }
}

extension [InsertionID] {
    /// A scan may tell a member twice.
    fileprivate mutating func sortUniquely() {
        sort()
        var kept = 0
        for index in indices where index == 0 || self[index] != self[kept - 1] {
            self[kept] = self[index]
            kept += 1
        }
        removeLast(count - kept)
    }
}

/// A rollout's set of insertion ids as it stood at one moment.
package struct RolloutReading: Sendable, Equatable {
    /// The most members that are kept and are not insertion ids.
    static let mostStrangers = Verdict.mostMissing

    /// All of them, ascending. 16 bytes each.
    package var ids: [InsertionID]
    /// Those that no verifier has seen in the trace store yet, ascending.
    package var pending: [InsertionID]
    /// Members that are not insertion ids: nothing can be traced under such a name, so the rollout never gets complete.
    /// At most `mostStrangers`.
    package var strangers: [String]
    package var strangerCount: Int
    /// Completions that failed.
    package var failed: Int
    /// Ids that the set had lost when it was read, and how many it should have had. Nil: none.
    package var loss: Loss?

    package struct Loss: Sendable, Equatable {
        package var recorded: Int
        package var left: Int
    }

    package init(
        ids: [InsertionID], pending: [InsertionID], strangers: [String] = [], strangerCount: Int = 0, failed: Int = 0
    ) {
        self.ids = ids
        self.pending = pending
        self.strangers = strangers
        self.strangerCount = strangerCount
        self.failed = failed
    }

    /// The number of ids that were made from the first to the last of some others.
    func count(from first: InsertionID, to last: InsertionID) -> Int {
        index(of: last, after: true) - index(of: first, after: false)
    }

    /// The index of the first id that is not before `id`; with `after`, of the first one behind it.
    private func index(of id: InsertionID, after: Bool) -> Int {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = low + (high - low) / 2
            if ids[middle] < id || (after && ids[middle] == id) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

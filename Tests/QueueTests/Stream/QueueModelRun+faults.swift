import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What befalls forwarders and ingresses, and the comparison of Redis with the model.
extension QueueModelRun {
    mutating func join() async throws {
        let forwarder = Forwarder(stream: try await fixture.forwarder(nextName()))
        try await keepAlive(forwarder)
        model.living.insert(forwarder.name)
        forwarders.append(forwarder)
    }

    /// Time passes by acts alone: a run that has to wait for the other tests must not lose its forwarders meanwhile.
    private func keepAlive(_ forwarder: Forwarder) async throws {
        try await fixture.send("EXPIRE", Keys.forwarder(forwarder.name), 1000)
    }

    /// A forwarder dies, and another comes.
    mutating func die(_ index: Int) async throws {
        let forwarder = forwarders.remove(at: index)
        note("\(forwarder.name) dies with \(forwarder.hand.map(\.job.insertionID))")
        try await forwarder.stream.leave()
        model.living.remove(forwarder.name)
        dead.append(forwarder)
        try await join()
    }

    /// A forwarder stands still until its liveness has run out, and goes on without knowing it; or says again that it
    /// lives.
    mutating func fallSilentOrBeat(_ index: Int) async throws {
        let forwarder = forwarders[index]
        if model.living.contains(forwarder.name) {
            note("\(forwarder.name) falls silent")
            try await forwarder.stream.leave()
            model.living.remove(forwarder.name)
        } else {
            note("\(forwarder.name) beats")
            _ = try await forwarder.stream.beat()
            try await keepAlive(forwarder)
            model.living.insert(forwarder.name)
        }
    }

    mutating func cancel() async throws {
        guard !model.items.isEmpty else { return }
        try await cancel(random.below(model.items.count))
    }

    mutating func cancel(_ place: Int) async throws {
        let id = model.items[place].job.insertionID
        note("\(id) is cancelled")
        try await JobSignals(redis: fixture.redis).cancel(id, life: .seconds(300))
        model.items[place].isCancelled = true
        guard let forwarder = forwarders.first else { return }
        try require(
            Set(try await forwarder.stream.cancelled(among: model.items.map(\.job.insertionID)).keys) == cancelled,
            "other cancellations")
    }

    private var cancelled: Set<InsertionID> { Set(model.items.filter(\.isCancelled).map(\.job.insertionID)) }

    /// Time passes: what anybody was given and does not know of counts as lost. Redis's own clock goes on as ever.
    mutating func age() async throws {
        note("time passes")
        for forwarder in forwarders {
            for (place, item) in model.items.enumerated() where !item.isOld {
                guard case .held(forwarder.name, let count) = item.phase, let entry = try await entry(of: item) else {
                    continue
                }
                try await fixture.send(
                    "XCLAIM", Keys.jobs, Keys.jobGroup, forwarder.name, 0, entry, "IDLE", 11_000, "RETRYCOUNT", count,
                    "JUSTID")
                model.items[place].isOld = true
            }
        }
    }

    private func entry(of item: QueueModel.Item) async throws -> String? {
        let entries = try await fixture.send("XRANGE", Keys.jobs, "-", "+").array ?? []
        return entries.first { $0[1][1].string == item.job.insertionID.description }?[0].string
    }

    mutating func attach(_ key: String) async throws {
        try await fixture.attach(key)
        model.streams[key] = model.streams[key] ?? []
    }

    /// An ingress is away for longer than its stream lives, or comes back.
    mutating func attachOrLose(_ key: String) async throws {
        guard model.streams[key] != nil else {
            note("\(key) is there again")
            return try await attach(key)
        }
        note("\(key) is lost")
        try await fixture.send("DEL", key)
        model.streams[key] = nil
    }

    /// Everybody but a newcomer is dead; it ends all that is left.
    mutating func end() async throws {
        for index in forwarders.indices.reversed() { try await die(index) }
        try await age()
        while !model.present.isEmpty {
            let index = forwarders.count - 1
            try await read(index)
            try await claim(index)
            while !forwarders[index].hand.isEmpty { try await finish(index) }
            try await age()
            try await compare()
        }
        try await expectOnlyWhatStays()
    }

    /// Besides the job stream, whose group remembers what was read, and the dead letters and the outbox, which are
    /// bounded, nothing stays for good.
    private func expectOnlyWhatStays() async throws {
        let stays = [Keys.jobs, Keys.dead, Keys.traceBytes, Self.taken] + model.outbox.keys
        for key in model.keys.subtracting(stays) {
            try require((try await fixture.send("PTTL", key).int ?? 0) > 0, "\(key) stays for good")
        }
        let ends = model.items.map(\.hasEnded)
        try require(ends.allSatisfy { $0 } && model.bytes == 0, "something has not ended")
    }

    /// Compares all that Redis holds with the model.
    func compare() async throws {
        let (sets, streams) = (model.sets, model.streams.keys.sorted())
        var batch = [
            RedisCommand("XRANGE", Keys.jobs, "-", "+"),
            RedisCommand("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 1000),
            RedisCommand("GET", Keys.jobBytes), RedisCommand("KEYS", "*"), RedisCommand("XLEN", Keys.dead),
        ]
        batch +=
            rollouts.map { RedisCommand("SMEMBERS", $0.set) } + streams.map { RedisCommand("XRANGE", $0, "-", "+") }
        let replies = try await fixture.redis.send(batch: batch)
        try comparePlaces(entries: replies[0].array ?? [], pending: replies[1].array ?? [])
        try require(
            replies[2].int == (model.present.isEmpty ? nil : model.bytes), "bytes: \(replies[2]), not \(model.bytes)")
        let keys = Set((replies[3].array ?? []).compactMap(\.string))
        try require(
            keys == model.keys,
            "too many keys: \(keys.subtracting(model.keys)); too few: \(model.keys.subtracting(keys))")
        try require(replies[4].int == model.letters, "dead letters")
        for (rollout, reply) in zip(rollouts, replies[5...]) {
            try require(
                Set((reply.array ?? []).compactMap(\.string)) == sets[rollout.set] ?? [], "the set \(rollout.set)")
        }
        for (key, reply) in zip(streams, replies[(5 + rollouts.count)...]) {
            try require((reply.array ?? []).compactMap { $0[1][3].bytes } == model.streams[key], "the frames on \(key)")
        }
        try await compareTraces()
    }

    /// What waits for its export, and what failed.
    private func compareTraces() async throws {
        let outbox = model.outbox
        let streams = outbox.keys.sorted()
        var batch =
            streams.map { RedisCommand("XRANGE", $0, "-", "+") }
            + rollouts.map { RedisCommand("HGET", $0.record, "failed") }
        batch += rollouts.flatMap { [RedisCommand("GET", $0.count), RedisCommand("HGET", $0.record, "ids")] }
        batch.append(RedisCommand("GET", Keys.traceBytes))
        let kept = try await KeptBytes.count(in: fixture.redis)
        try require(kept == model.keptBytes, "kept bytes: \(kept), not \(model.keptBytes)")
        let replies = try await fixture.redis.send(batch: batch)
        for (key, reply) in zip(streams, replies) {
            try require(Set((reply.array ?? []).compactMap { $0[1][1].string }) == outbox[key], "waits on \(key)")
        }
        for (rollout, reply) in zip(rollouts, replies[streams.count...]) {
            try require(reply.int ?? 0 == model.failures(of: rollout), "failures of \(rollout.set): \(reply)")
        }
        for (index, reply) in replies[(streams.count + rollouts.count)..<(replies.count - 1)].enumerated() {
            let set = rollouts[index / 2].set
            try require(reply.int ?? 0 == model.sets[set]?.count ?? 0, "ids counted of \(set): \(reply)")
        }
        try require(replies[replies.count - 1].int ?? 0 == model.spanBytes, "bytes of spans")
    }

    /// Who has which job, and for the how-manieth time.
    private func comparePlaces(entries: [RedisValue], pending: [RedisValue]) throws {
        let ids = entries.map { $0[1][1].string ?? "" }
        try require(ids == model.present.map(\.job.insertionID.description), "on the stream: \(ids)")
        var places: [String: QueueModel.Phase] = [:]
        for (entry, id) in zip(entries, ids) {
            let held = pending.first { $0[0] == entry[0] }
            places[id] = held.map { .held(by: $0[1].string ?? "", count: $0[3].int ?? 0) } ?? .queued
        }
        for item in model.present {
            let id = item.job.insertionID.description
            try require(
                places[id] == item.phase, "\(id) is \(places[id].map { "\($0)" } ?? "nowhere"), not \(item.phase)")
        }
        try require(pending.count == model.items.count { $0.holder != nil }, "\(pending.count) pending")
    }
}

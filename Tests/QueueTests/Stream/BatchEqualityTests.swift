import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// A batch does what the version before batches did for its jobs one by one, of any kind and with anything that Redis
/// holds.
@Suite(.timeLimit(.minutes(5))) struct BatchEqualityTests {
    private static let limits = JobAdmission.Limits(entries: 12, bytes: 6000, rolloutTTL: .seconds(100), spanBytes: 60)
    private static let here = "here"

    /// A job that is queued.
    private struct Asked {
        let job: Job
        let sealed: [UInt8]
        let takes: Bool
        let renews: Bool
    }

    @Test func `a batch is its jobs one by one`() async throws {
        try await withRedisServer { server in
            var other = server.endpoint
            other.database = 1
            try await withRedisClient(server.endpoint) { first in
                try await withRedisClient(other) { second in
                    for seed in UInt64(1)...40 {
                        try await compare(QueueFixture(redis: first), with: QueueFixture(redis: second), seed: seed)
                        await FuzzFixture.letOthersRun()
                    }
                }
            }
        }
    }

    private func compare(_ batched: QueueFixture, with single: QueueFixture, seed: UInt64) async throws {
        try await batched.send("FLUSHALL")
        var random = SeededRandom(seed: seed)
        let steps = SingleSteps(fixture: single, limits: Self.limits, consumer: Self.here)
        let spans = random.below(80)
        var streams: [JobStream] = []
        for fixture in [batched, single] {
            streams.append(try await fixture.forwarder(Self.here))
            try await fixture.attach()
            try await fixture.send("SET", "taken", "a stranger's")
            try await fixture.send("SET", Keys.rollouts(project: "broken"), "a stranger's")
            if spans > 40 { try await fixture.send("SET", Keys.traceBytes, spans) }
            try await fixture.send("HSET", Keys.verdict(of: Rollout("r1", project: "local")), "verdict", "complete")
        }
        for _ in 0..<3 {
            let asked = (0..<1 + random.below(8)).map { _ in ask(batched, &random) }
            #expect(try await enqueue(asked, batched) == enqueue(asked, steps), "seed \(seed)")
            try await expectSame(batched, as: single, at: "queued, seed \(seed)")
            let (ours, theirs) = (try await held(batched, asked), try await held(single, asked))
            let endings = ours.map { end(of: $0.job, &random) }
            // A job that is handed back meanwhile has no owner to end it.
            if let lost = ours.indices.randomElement(using: &random), random.chance(oneIn: 2) {
                try await streams[0].release([ours[lost].delivery.entry])
                try await streams[1].release([theirs[lost].delivery.entry])
            }
            let frames = ours.map { (frame: [UInt8(7)], job: $0.job, delivery: $0.delivery) }
            #expect(
                try await batched.deliver(frames, by: streams[0]).map(Self.text) == deliver(theirs, steps),
                "seed \(seed)")
            try await expectSame(batched, as: single, at: "delivered, seed \(seed)")
            // One that ends twice is ended once.
            let order = (ours.indices.map { $0 } + ours.indices.filter { _ in random.chance(oneIn: 4) }).shuffled(
                using: &random)
            func ends(_ held: [QueueFixture.End]) -> [QueueFixture.End] {
                order.map { place in
                    var end = endings[place]
                    end.delivery = held[place].delivery
                    return end
                }
            }
            #expect(
                try await batched.finish(ends(ours), by: streams[0]).map(Self.text) == finish(ends(theirs), steps),
                "seed \(seed)")
            try await expectSame(batched, as: single, at: "ended, seed \(seed)")
        }
    }

    private func expectSame(_ batched: QueueFixture, as single: QueueFixture, at what: String) async throws {
        let (ours, theirs) = (try await QueueSnapshot(batched), try await QueueSnapshot(single))
        let differences = ours.differences(from: theirs)
        for key in differences {
            Issue.record("\(what): \(key) is \(ours.keys[key] ?? "none"), not \(theirs.keys[key] ?? "none")")
        }
        #expect(ours.pending == theirs.pending, "\(what)")
        try #require(differences.isEmpty)
    }

    private func ask(_ fixture: QueueFixture, _ random: inout SeededRandom) -> Asked {
        let rollout = random.pick([nil, "r1", "r1", "r2", "taken"])
        let project = random.pick(["local", "local", "other", "broken"])
        var job = fixture.job(rollout: rollout, project: project, body: [UInt8](repeating: 7, count: random.below(700)))
        job.deadline = Deadline(in: .seconds(300))
        if random.chance(oneIn: 3) { job.responseKey = Keys.response(job.insertionID) }
        if random.chance(oneIn: 3) {
            job.responseKey = Keys.response(job.insertionID)
            let request = [[UInt8(random.below(2))]]
            job.idempotency = Idempotency(
                clientKey: random.pick(["k", "l"]), project: project, account: nil, request: request,
                envelope: fixture.envelope)
        }
        return Asked(
            job: job, sealed: [UInt8](repeating: 1, count: job.body.count + 100), takes: random.chance(oneIn: 2),
            renews: random.chance(oneIn: 2))
    }

    /// - Returns: what became of each job, in words.
    private func enqueue(_ asked: [Asked], _ fixture: QueueFixture) async throws -> [String] {
        let admission = JobAdmission(
            redis: fixture.redis, envelope: fixture.envelope, limits: Self.limits, keySpace: .local)
        let results = try await fixture.inOneTurn(asked.count) { place, completion in
            let (job, one) = (asked[place].job, asked[place])
            let rollout = job.ownRollout.map { KeySpace.local.keys(of: $0) }
            admission.batcher.submit(
                EnqueueStep(
                    job: job, sealed: one.sealed, rollout: rollout, renews: one.renews,
                    consumer: one.takes ? Self.here : nil, latest: nil,
                    completion: completion))
        }
        return results.map { result in Self.text(result.map(\.outcome)) }
    }

    private func enqueue(_ asked: [Asked], _ steps: SingleSteps) async throws -> [String] {
        var texts: [String] = []
        for one in asked {
            do throws(RedisError) {
                let reply = try await steps.enqueue(one.job, sealed: one.sealed, takes: one.takes, renews: one.renews)
                texts.append("\(JobAdmission.Outcome(reply.result, usage: []))")
            } catch {
                texts.append(error.serverCode ?? "lost")
            }
        }
        return texts
    }

    private static func text<Value>(_ result: Result<Value, RedisError>) -> String {
        switch result {
        case .success(let value): "\(value)"
        case .failure(let error): error.serverCode ?? "lost"
        }
    }

    /// The jobs of these that the consumer was given.
    private func held(_ fixture: QueueFixture, _ asked: [Asked]) async throws -> [QueueFixture.End] {
        let pending =
            try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 1000, Self.here).array ?? []
        let entries = pending.map(\.[0])
        return (try await fixture.send("XRANGE", Keys.jobs, "-", "+").array ?? []).compactMap { entry in
            guard entries.contains(entry[0]),
                let one = asked.first(where: { $0.job.insertionID.description == entry[1][1].string })
            else {
                return nil
            }
            return QueueFixture.End(
                job: one.job,
                delivery: Delivery(entry: entry[0], fields: entry[1], on: .completions, count: 1, isTakenOver: false))
        }
    }

    private func end(of job: Job, _ random: inout SeededRandom) -> QueueFixture.End {
        let rollout = job.ownRollout.map { KeySpace.local.keys(of: $0) }
        let span = JobStream.Span(
            project: job.project, sealed: [UInt8](repeating: 2, count: random.below(20)), life: .seconds(100))
        return QueueFixture.End(
            job: job, delivery: Delivery(job, entry: "", on: .completions, size: 0),
            responseKey: random.chance(oneIn: 6) ? "taken" : nil,
            sealed: random.chance(oneIn: 3) ? nil : [UInt8(random.below(9))],
            ending: JobStream.Ending(
                removeFrom: random.chance(oneIn: 2) ? rollout : nil, span: random.chance(oneIn: 2) ? span : nil,
                deadLetterReason: random.chance(oneIn: 4) ? "lost" : nil,
                frees: random.chance(oneIn: 2) ? job.idempotency?.key : nil))
    }

    private func deliver(_ held: [QueueFixture.End], _ steps: SingleSteps) async throws -> [String] {
        var texts: [String] = []
        for one in held { texts.append("\(try await steps.deliver([7], of: one.job, in: one.delivery))") }
        return texts
    }

    private func finish(_ ends: [QueueFixture.End], _ steps: SingleSteps) async throws -> [String] {
        var texts: [String] = []
        for end in ends {
            do throws(RedisError) {
                texts.append("\(try await steps.finish(end))")
            } catch {
                texts.append(error.serverCode ?? "lost")
            }
        }
        return texts
    }
}

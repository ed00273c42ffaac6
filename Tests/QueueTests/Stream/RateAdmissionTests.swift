import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Rate limits in the step that queues jobs.
@Suite(.timeLimit(.minutes(5))) struct RateAdmissionTests {
    private func charge(_ counter: String, limit: Int, isEnforced: Bool = true) -> RateCharge {
        RateCharge(rule: counter, counter: counter, amount: 1, limit: limit, window: 60_000, isEnforced: isEnforced)
    }

    private func counted(_ counter: String, _ fixture: QueueFixture) async throws -> Int {
        Int(try await fixture.send("HGET", Keys.rateAmounts(counter), "sum").string ?? "") ?? 0
    }

    /// Jobs with and without charges in one script; each counts on all of its counters or on none.
    @Test func `a batch counts for what is queued`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("SET", "taken", "a stranger's")
            var jobs = (0..<6).map { _ in fixture.job() }
            jobs[1].charges = [charge("a", limit: 2), charge("b", limit: 1)]
            jobs[2].charges = [charge("a", limit: 2), charge("b", limit: 1)]
            jobs[3] = fixture.job(rollout: "taken")
            jobs[3].charges = [charge("a", limit: 2)]
            jobs[4].charges = [charge("a", limit: 2), charge("c", limit: 1, isEnforced: false)]
            jobs[5].charges = [charge("c", limit: 1, isEnforced: false)]
            let outcomes = try await fixture.enqueue(jobs).map { try $0.get().outcome }
            let window = 60_000
            func used(_ used: Int...) -> [RateUsage] { used.map { RateUsage(used: $0, reset: window) } }
            #expect(
                outcomes == [
                    .queued(length: 1), .queued(length: 2, usage: used(1, 1)),
                    .overLimit(charge: 1, RateUsage(used: 1, reset: window)), .notASet,
                    .queued(length: 3, usage: used(2, 1)), .queued(length: 4, usage: used(2)),
                ])
            #expect(try await counted("a", fixture) == 2)
            #expect(try await counted("b", fixture) == 1)
            #expect(try await counted("c", fixture) == 2, "an audited limit is counted beyond itself")
            let ids = try await fixture.members("rollout")
            #expect(!ids.contains(jobs[2].insertionID.description), "what is refused leaves no id")
        }
    }

    /// While changed rules are taken over, jobs of one batch know one counter with different limits.
    @Test func `each job has its own limit on a counter`() async throws {
        try await QueueFixture.run { fixture in
            let limits = [1, 3, 1, 3, 3]
            let jobs = limits.map { limit in
                var job = fixture.job()
                job.charges = [charge("a", limit: limit), charge("a", limit: 9, isEnforced: false)]
                return job
            }
            let outcomes = try await fixture.enqueue(jobs).map { try $0.get().outcome }
            let areQueued = outcomes.map { if case .queued = $0 { true } else { false } }
            // Each counts twice: 2 are over the limit of 1, and 4 over that of 3.
            #expect(areQueued == [true, true, false, false, false])
            #expect(try await counted("a", fixture) == 4)
        }
    }

    /// What was refused ten thousand times changes no counter.
    @Test func `refusals change nothing`() async throws {
        try await QueueFixture.run { fixture in
            var job = fixture.job()
            job.charges = [charge("a", limit: 1)]
            _ = try await fixture.enqueue([job])
            let before = try await fixture.dump()
            for _ in 0..<160 {
                let jobs = (0..<64).map { _ in
                    var job = fixture.job()
                    job.charges = [charge("b", limit: 9), charge("a", limit: 1)]
                    return job
                }
                let outcomes = try await fixture.enqueue(jobs).map { try $0.get().outcome }
                #expect(
                    outcomes.allSatisfy {
                        if case .overLimit(charge: 1, let usage) = $0 { usage.used == 1 } else { false }
                    })
            }
            #expect(try await fixture.dump() == before)
        }
    }

    /// The end of a job puts what it took in the place of what it was charged with, at the time of the charge.
    @Test(arguments: [true, false]) func `the end of a job corrects its charges`(isGiven: Bool) async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("here")
            var jobs = (0..<4).map { _ in fixture.job() }
            for place in jobs.indices {
                jobs[place].charges = [charge("requests", limit: 9)]
                jobs[place].charges += [(RateCharge.Unit.tokens, 100), (.inputTokens, 40), (.outputTokens, 60)].map {
                    RateCharge(
                        rule: "r", unit: $0, counter: $0.rawValue, amount: $1, limit: 1000, window: 60_000,
                        isEnforced: true)
                }
            }
            let deliveries: [Delivery]
            if isGiven {
                deliveries = try await fixture.give(jobs, to: "here")
            } else {
                _ = try await fixture.enqueue(jobs)
                deliveries = try await fixture.take(stream)
            }
            #expect(deliveries.allSatisfy { $0.slots.count == 3 })
            let units: [RateCharge.Unit] = [.tokens, .inputTokens, .outputTokens]
            func counted() async throws -> [Int] {
                var sums: [Int] = []
                for unit in units { sums.append(try await self.counted(unit.rawValue, fixture)) }
                return sums
            }
            #expect(try await counted() == [400, 160, 240])
            let spent: [TokensSpent] = [
                .counted(input: 10, output: 5, total: 15), .none, .unknown,
                .counted(input: 500, output: nil, total: nil),
            ]
            var ends: [QueueFixture.End] = []
            for (delivery, spent) in zip(deliveries, spent) {
                let job =
                    isGiven
                    ? try #require(jobs.first { $0.insertionID.description == delivery.insertionID })
                    : try delivery.job(opening: fixture.envelope)
                ends.append(
                    .init(
                        job: job, delivery: delivery,
                        ending: .init(settlements: delivery.settlements(of: job, after: spent))))
            }
            _ = try await fixture.finish(ends, by: stream)
            #expect(try await counted() == [15 + 100 + 100, 10 + 40 + 500, 5 + 60 + 60])
            #expect(try await self.counted("requests", fixture) == 4, "a request counts as one in each case")
            for unit in units {
                let amounts = try await fixture.send("HGETALL", Keys.rateAmounts(unit.rawValue)).array ?? []
                let slots = stride(from: 0, to: amounts.count - 1, by: 2).filter { amounts[$0].int != nil }
                let sum = slots.reduce(0) { $0 + (amounts[$1 + 1].int ?? 0) }
                #expect(sum == (try await self.counted(unit.rawValue, fixture)), "the times hold what the sum does")
            }
            // Another's end of the same jobs changes nothing more.
            _ = try await fixture.finish(ends, by: stream)
            #expect(try await counted() == [215, 550, 125])
        }
    }

    /// What has left the window is not brought back by a job that ends late.
    @Test func `a late end corrects nothing`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("here")
            var job = fixture.job()
            job.charges = [
                RateCharge(
                    rule: "r", unit: .tokens, counter: "t", amount: 7, limit: 10, window: 60_000, isEnforced: true)
            ]
            let delivery = try await fixture.give([job], to: "here")[0]
            try await fixture.send("DEL", Keys.rateAmounts("t"), Keys.rateSlots("t"))
            let settlements = delivery.settlements(of: job, after: .counted(input: 1, output: 1, total: 2))
            #expect(settlements.map(\.difference) == [-5])
            _ = try await fixture.finish(
                [.init(job: job, delivery: delivery, ending: .init(settlements: settlements))], by: stream)
            #expect(try await fixture.send("EXISTS", Keys.rateAmounts("t")).int == 0)
        }
    }
}

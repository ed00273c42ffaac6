import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What the script of rate limits lets in, by a clock of the test's.
@Suite(.timeLimit(.minutes(1))) struct RateScriptTests {
    /// The script with its clock as the last argument.
    private static func script(exactSlots: Int = JobScripts.exactSlots) -> RedisScript {
        RedisScript(
            name: "rates",
            source: "local now = tonumber(ARGV[#ARGV])\n"
                + JobScripts.rates.replacing(
                    "exact_slots = \(JobScripts.exactSlots)", with: "exact_slots = \(exactSlots)")
                    + """
                    local charges = {}
                    for index = 0, #KEYS / 2 - 1 do
                        charges[#charges + 1] = {
                            slots = KEYS[2 * index + 1], amounts = KEYS[2 * index + 2],
                            amount = tonumber(ARGV[5 * index + 1]), limit = tonumber(ARGV[5 * index + 2]),
                            window = tonumber(ARGV[5 * index + 3]), enforced = ARGV[5 * index + 4] ~= ''}
                    end
                    return over_limit(charges) or count_all(charges, 1)
                    """)
    }

    private enum Result: Equatable {
        case counted([RateUsage])
        case refused(place: Int, RateUsage)

        init(_ values: [Int]) {
            guard values[0] == 1 else {
                self = .refused(place: values[1] - 1, RateUsage(used: values[2], reset: values[3]))
                return
            }
            self = .counted(
                stride(from: 1, to: values.count, by: 3).map { RateUsage(used: values[$0], reset: values[$0 + 1]) })
        }
    }

    private func charge(
        _ charges: [RateCharge], at now: Int, _ script: RedisScript, on redis: RedisClient
    ) async throws
        -> Result
    {
        var command = RedisCommand("EVAL", script.source, 2 * charges.count)
        for charge in charges {
            command.append(Keys.rateSlots(charge.counter))
            command.append(Keys.rateAmounts(charge.counter))
        }
        for charge in charges {
            for number in [charge.amount, charge.limit, charge.window] { command.append(number) }
            for flag in [charge.isEnforced, charge.isSettled] { command.append(flag ? "1" : "") }
        }
        command.append(now)
        return Result((try await redis.send(command).array ?? []).map { $0.int ?? .min })
    }

    /// A counter as it should be: everything that was counted, with its time.
    private struct Model {
        var log: [(time: Int, amount: Int)] = []

        func live(_ charge: RateCharge, at now: Int) -> [(time: Int, amount: Int)] {
            log.filter { $0.time > now - charge.window }
        }

        func used(_ charge: RateCharge, at now: Int) -> Int { live(charge, at: now).reduce(0) { $0 + $1.amount } }

        func fits(_ charge: RateCharge, at now: Int) -> Bool { used(charge, at: now) + charge.amount <= charge.limit }
    }

    /// No window ever holds more than the limit, and nothing that fits is refused.
    @Test func aWindowHoldsTheLimitAndNoMore() async throws {
        let script = Self.script()
        try await QueueBench.run { bench in
            for seed in UInt64(1)...12 {
                try await bench.send("FLUSHALL")
                var random = SeededRandom(seed: seed)
                var models = [Model(), Model(), Model()]
                var now = 1_800_000_000_000
                for _ in 0..<150 {
                    now += random.pick([0, 1, 7_000, 90_000, 300_000])
                    let charges = [
                        RateCharge(rule: "r", counter: "a", amount: 1, limit: 5, window: 500_000, isEnforced: true),
                        RateCharge(
                            rule: "r", counter: "b", amount: 1 + random.below(4), limit: 20, window: 1500,
                            isEnforced: true),
                        RateCharge(rule: "r", counter: "c", amount: 1, limit: 3, window: 1_000_000, isEnforced: false),
                    ]
                    let result = try await charge(charges, at: now, script, on: bench.redis)
                    let over = charges.indices.filter {
                        charges[$0].isEnforced && !models[$0].fits(charges[$0], at: now)
                    }
                    guard let first = over.first else {
                        for place in charges.indices { models[place].log.append((now, charges[place].amount)) }
                        let usage = charges.indices.map { place in
                            let live = models[place].live(charges[place], at: now)
                            return RateUsage(
                                used: live.reduce(0) { $0 + $1.amount },
                                reset: live[0].time + charges[place].window - now)
                        }
                        #expect(result == .counted(usage), "seed \(seed)")
                        continue
                    }
                    // The first moment at which all fit: one at which something leaves a window.
                    let moments = charges.indices.flatMap { place in
                        models[place].log.map { $0.time + charges[place].window }
                    }
                    let opens = moments.filter { $0 > now }.sorted().first { later in
                        charges.indices.allSatisfy {
                            !charges[$0].isEnforced || models[$0].fits(charges[$0], at: later)
                        }
                    }
                    let usage = RateUsage(
                        used: models[first].used(charges[first], at: now), reset: (opens ?? now) - now)
                    #expect(result == .refused(place: first, usage), "seed \(seed)")
                }
            }
        }
    }

    /// A counter with more times than it keeps exactly never lets more in, and lets it in a bucket late at most.
    @Test func beyondTheExactTimesNothingIsLetInEarly() async throws {
        let script = Self.script(exactSlots: 20)
        let width = 1000
        try await QueueBench.run { bench in
            for seed in UInt64(1)...6 {
                try await bench.send("FLUSHALL")
                var random = SeededRandom(seed: seed)
                var model = Model()
                var now = 1_800_000_000_003
                var refusals = 0
                for _ in 0..<600 {
                    now += random.pick([100, 200, 300, 2000, 12_000])
                    let one = RateCharge(
                        rule: "r", counter: "a", amount: 1, limit: 150, window: 600 * width, isEnforced: true)
                    let result = try await charge([one], at: now, script, on: bench.redis)
                    guard case .refused(_, let usage) = result else {
                        #expect(model.fits(one, at: now), "seed \(seed): more than the limit")
                        model.log.append((now, 1))
                        continue
                    }
                    refusals += 1
                    #expect(!model.fits(one, at: now - width), "seed \(seed): refused more than a bucket long")
                    #expect(usage.reset > 0)
                }
                #expect(refusals > 20)
                let slots = try await bench.send("LLEN", Keys.rateSlots("a")).int ?? 0
                #expect(slots <= 20 + 600 + 1)
            }
        }
    }

    /// What was given back leaves a time behind, and these are bounded too.
    @Test func timesWithNothingAtThemAreBounded() async throws {
        let script = Self.script(exactSlots: 20)
        try await QueueBench.run { bench in
            let day = RateCharge(rule: "r", counter: "b", amount: 1, limit: 5, window: 600_000, isEnforced: true)
            for step in 0..<200 {
                _ = try await charge([day], at: 1_800_000_000_000 + 3 * step, script, on: bench.redis)
                for slot in try await bench.send("LRANGE", Keys.rateSlots("b"), 0, -1).array ?? [] {
                    try await bench.send("HSET", Keys.rateAmounts("b"), slot.string ?? "", 0)
                }
                try await bench.send("HSET", Keys.rateAmounts("b"), "sum", 0)
            }
            #expect(try await bench.send("LLEN", Keys.rateSlots("b")).int ?? 0 <= 22)
        }
    }

    /// A refusal takes away what the window has left behind, and nothing else.
    @Test func aRefusalLooksThroughOldTimesOnce() async throws {
        try await QueueBench.run { bench in
            let old = RateCharge(rule: "r", counter: "old", amount: 1, limit: 900, window: 100_000, isEnforced: true)
            let full = RateCharge(rule: "r", counter: "full", amount: 1, limit: 1, window: 10_000_000, isEnforced: true)
            let start = 1_800_000_000_000
            for step in 0..<700 { _ = try await charge([old], at: start + 100 * step, Self.script(), on: bench.redis) }
            _ = try await charge([full], at: start + 70_000, Self.script(), on: bench.redis)
            let result = try await charge([old, full], at: start + 120_000, Self.script(), on: bench.redis)
            #expect(result == .refused(place: 1, RateUsage(used: 1, reset: 9_950_000)))
            #expect(try await bench.send("LLEN", Keys.rateSlots("old")).int == 499)
            #expect(try await bench.send("HGET", Keys.rateAmounts("old"), "sum").string == "499")
            #expect(
                try await charge([old], at: start + 120_000, Self.script(), on: bench.redis)
                    == .counted([RateUsage(used: 500, reset: 100)]))
        }
    }

    /// The counter lives as long as anything in it counts, and not for ever.
    @Test func aCounterLivesTwoWindows() async throws {
        try await QueueBench.run { bench in
            let one = RateCharge(rule: "r", counter: "a", amount: 2, limit: 100, window: 60_000, isEnforced: true)
            for later in [0, 59_999, 60_000] {
                _ = try await charge([one], at: 1_800_000_000_000 + later, Self.script(), on: bench.redis)
                for key in [Keys.rateSlots("a"), Keys.rateAmounts("a")] {
                    let left = try await bench.send("PTTL", key).int ?? 0
                    #expect((110_000...120_000).contains(left), "\(key)")
                }
            }
            #expect(try await bench.send("HGET", Keys.rateAmounts("a"), "sum").string == "4")
            #expect(try await bench.send("HLEN", Keys.rateAmounts("a")).int == 4, "what has left the window is gone")
        }
    }
}

/// Rate limits in the step that queues jobs.
@Suite(.timeLimit(.minutes(1))) struct RateAdmissionTests {
    private func charge(_ counter: String, limit: Int, isEnforced: Bool = true) -> RateCharge {
        RateCharge(rule: counter, counter: counter, amount: 1, limit: limit, window: 60_000, isEnforced: isEnforced)
    }

    private func counted(_ counter: String, _ bench: QueueBench) async throws -> Int {
        Int(try await bench.send("HGET", Keys.rateAmounts(counter), "sum").string ?? "") ?? 0
    }

    /// Jobs with and without charges in one script; each counts on all of its counters or on none.
    @Test func aBatchCountsForWhatIsQueued() async throws {
        try await QueueBench.run { bench in
            try await bench.send("SET", "taken", "a stranger's")
            var jobs = (0..<6).map { _ in bench.job() }
            jobs[1].charges = [charge("a", limit: 2), charge("b", limit: 1)]
            jobs[2].charges = [charge("a", limit: 2), charge("b", limit: 1)]
            jobs[3] = bench.job(rollout: "taken")
            jobs[3].charges = [charge("a", limit: 2)]
            jobs[4].charges = [charge("a", limit: 2), charge("c", limit: 1, isEnforced: false)]
            jobs[5].charges = [charge("c", limit: 1, isEnforced: false)]
            let outcomes = try await bench.enqueue(jobs).map { try $0.get().outcome }
            let window = 60_000
            func used(_ used: Int...) -> [RateUsage] { used.map { RateUsage(used: $0, reset: window) } }
            #expect(
                outcomes == [
                    .queued(length: 1), .queued(length: 2, usage: used(1, 1)),
                    .overLimit(charge: 1, RateUsage(used: 1, reset: window)), .notASet,
                    .queued(length: 3, usage: used(2, 1)), .queued(length: 4, usage: used(2)),
                ])
            #expect(try await counted("a", bench) == 2)
            #expect(try await counted("b", bench) == 1)
            #expect(try await counted("c", bench) == 2, "an audited limit is counted beyond itself")
            let ids = try await bench.members("rollout")
            #expect(!ids.contains(jobs[2].insertionID.description), "what is refused leaves no id")
        }
    }

    /// What was refused ten thousand times changes no counter.
    @Test func refusalsChangeNothing() async throws {
        try await QueueBench.run { bench in
            var job = bench.job()
            job.charges = [charge("a", limit: 1)]
            _ = try await bench.enqueue([job])
            let before = try await bench.dump()
            for _ in 0..<160 {
                let jobs = (0..<64).map { _ in
                    var job = bench.job()
                    job.charges = [charge("b", limit: 9), charge("a", limit: 1)]
                    return job
                }
                let outcomes = try await bench.enqueue(jobs).map { try $0.get().outcome }
                #expect(
                    outcomes.allSatisfy {
                        if case .overLimit(charge: 1, let usage) = $0 { usage.used == 1 } else { false }
                    })
            }
            #expect(try await bench.dump() == before)
        }
    }

    /// The end of a job puts what it took in the place of what it was charged with, at the time of the charge.
    @Test(arguments: [true, false]) func theEndOfAJobCorrectsItsCharges(isGiven: Bool) async throws {
        try await QueueBench.run { bench in
            let stream = try await bench.forwarder("here")
            var jobs = (0..<4).map { _ in bench.job() }
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
                deliveries = try await bench.give(jobs, to: "here")
            } else {
                _ = try await bench.enqueue(jobs)
                deliveries = try await bench.take(stream)
            }
            #expect(deliveries.allSatisfy { $0.slots.count == 3 })
            let units: [RateCharge.Unit] = [.tokens, .inputTokens, .outputTokens]
            func counted() async throws -> [Int] {
                var sums: [Int] = []
                for unit in units { sums.append(try await self.counted(unit.rawValue, bench)) }
                return sums
            }
            #expect(try await counted() == [400, 160, 240])
            let spent: [TokensSpent] = [
                .counted(input: 10, output: 5, total: 15), .none, .unknown,
                .counted(input: 500, output: nil, total: nil),
            ]
            var ends: [QueueBench.End] = []
            for (delivery, spent) in zip(deliveries, spent) {
                let job =
                    isGiven
                    ? try #require(jobs.first { $0.insertionID.description == delivery.insertionID })
                    : try delivery.job(opening: bench.envelope)
                ends.append(
                    .init(
                        job: job, delivery: delivery,
                        ending: .init(settlements: delivery.settlements(of: job, after: spent))))
            }
            _ = try await bench.finish(ends, by: stream)
            #expect(try await counted() == [15 + 100 + 100, 10 + 40 + 500, 5 + 60 + 60])
            #expect(try await self.counted("requests", bench) == 4, "a request counts as one in each case")
            // Another's end of the same jobs changes nothing more.
            _ = try await bench.finish(ends, by: stream)
            #expect(try await counted() == [215, 550, 125])
        }
    }

    /// What has left the window is not brought back by a job that ends late.
    @Test func aLateEndCorrectsNothing() async throws {
        try await QueueBench.run { bench in
            let stream = try await bench.forwarder("here")
            var job = bench.job()
            job.charges = [
                RateCharge(
                    rule: "r", unit: .tokens, counter: "t", amount: 7, limit: 10, window: 60_000, isEnforced: true)
            ]
            let delivery = try await bench.give([job], to: "here")[0]
            try await bench.send("DEL", Keys.rateAmounts("t"), Keys.rateSlots("t"))
            let settlements = delivery.settlements(of: job, after: .counted(input: 1, output: 1, total: 2))
            #expect(settlements.map(\.difference) == [-5])
            _ = try await bench.finish(
                [.init(job: job, delivery: delivery, ending: .init(settlements: settlements))], by: stream)
            #expect(try await bench.send("EXISTS", Keys.rateAmounts("t")).int == 0)
        }
    }
}

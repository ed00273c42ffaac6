import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What the script of rate limits lets in, by a clock of the test's.
@Suite(.timeLimit(.minutes(5))) struct RateScriptTests {
    /// The script with its clock as the last argument.
    private static func script(exactSlots: Int = JobScripts.exactSlots) -> RedisScript {
        RedisScript(
            name: "rates",
            source: "local now = tonumber(ARGV[#ARGV])\n"
                + JobScripts.numbers
                + JobScripts.rates.replacing(
                    "exact_slots = \(JobScripts.exactSlots)", with: "exact_slots = \(exactSlots)")
                    + """
                    local limits, counts = {}, {}
                    for index = 0, #KEYS / 2 - 1 do
                        counts[#counts + 1] = tonumber(ARGV[5 * index + 1])
                        limits[#counts] = {
                            slots = KEYS[2 * index + 1], amounts = KEYS[2 * index + 2],
                            limit = tonumber(ARGV[5 * index + 2]), window = tonumber(ARGV[5 * index + 3]),
                            enforced = ARGV[5 * index + 4] ~= ''}
                    end
                    local result = over_limit(limits, counts)
                    if not result then
                        count_all(limits, counts)
                        result = {1, unpack(usage_of(limits))}
                    end
                    write_counters()
                    return result
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
    @Test func `a window holds the limit and no more`() async throws {
        let script = Self.script()
        try await QueueFixture.run { fixture in
            for seed in UInt64(1)...12 {
                try await fixture.send("FLUSHALL")
                var random = SeededRandom(seed: seed)
                var models = [Model(), Model(), Model()]
                var now = 1_800_000_000_000
                for _ in 0..<150 {
                    now += random.pick([0, 1, 7_000, 90_000, 300_000])
                    let charges = [
                        RateCharge(rule: "r", counter: "a", amount: 1, limit: 5, window: 500_000, isEnforced: true),
                        RateCharge(
                            rule: "r", counter: "b", amount: 1 + random.below(4), limit: 20, window: 6500,
                            isEnforced: true),
                        RateCharge(rule: "r", counter: "c", amount: 1, limit: 3, window: 1_000_000, isEnforced: false),
                    ]
                    let result = try await charge(charges, at: now, script, on: fixture.redis)
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

    /// The same charges for several jobs, each on its own: a batch reads and writes each counter once.
    private static let batch = RedisScript(
        name: "rates of a batch",
        source: "local now = tonumber(ARGV[#ARGV])\n" + JobScripts.numbers + JobScripts.rates
            + """
            local results, each = {}, tonumber(ARGV[#ARGV - 1])
            for job = 0, #KEYS / 2 / each - 1 do
                local limits, counts = {}, {}
                for index = job * each, job * each + each - 1 do
                    counts[#counts + 1] = tonumber(ARGV[5 * index + 1])
                    limits[#counts] = {
                        slots = KEYS[2 * index + 1], amounts = KEYS[2 * index + 2],
                        limit = tonumber(ARGV[5 * index + 2]), window = tonumber(ARGV[5 * index + 3]),
                        enforced = ARGV[5 * index + 4] ~= ''}
                end
                results[job + 1] = over_limit(limits, counts)
                if not results[job + 1] then
                    count_all(limits, counts)
                    results[job + 1] = {1, unpack(usage_of(limits))}
                end
            end
            write_counters()
            return results
            """)

    private func charge(
        _ jobs: [[RateCharge]], of name: String, at now: Int, on redis: RedisClient
    ) async throws -> [[Int]] {
        let all = jobs.flatMap(\.self)
        var command = RedisCommand("EVAL", Self.batch.source, 2 * all.count)
        for charge in all {
            command.append(Keys.rateSlots(name + charge.counter))
            command.append(Keys.rateAmounts(name + charge.counter))
        }
        for charge in all {
            for number in [charge.amount, charge.limit, charge.window] { command.append(number) }
            for flag in [charge.isEnforced, charge.isSettled] { command.append(flag ? "1" : "") }
        }
        command.append(jobs[0].count)
        command.append(now)
        return (try await redis.send(command).array ?? []).map { ($0.array ?? []).map { $0.int ?? .min } }
    }

    /// The windows are long, since the server's own clock ends counters meanwhile.
    @Test func `a batch counts as its jobs one by one`() async throws {
        try await QueueFixture.run { fixture in
            for seed in UInt64(1)...20 {
                try await fixture.send("FLUSHALL")
                var random = SeededRandom(seed: seed)
                let limits = [12, 30, 7].map { random.below($0) + 3 }
                var now = 1_800_000_000_000
                for _ in 0..<60 {
                    now += random.pick([0, 1, 30_000, 700_000])
                    let jobs = (0..<1 + random.below(6)).map { _ in
                        ["a", "b", "c"].indices.map { place in
                            RateCharge(
                                rule: "r", counter: ["a", "b", "c"][place], amount: 1 + random.below(3),
                                limit: limits[place], window: [1_000_000, 2_000_000, 6_000_000][place],
                                isEnforced: place < 2)
                        }
                    }
                    let together = try await charge(jobs, of: "batch", at: now, on: fixture.redis)
                    var alone: [[Int]] = []
                    for job in jobs { alone += try await charge([job], of: "alone", at: now, on: fixture.redis) }
                    #expect(together == alone, "seed \(seed)")
                    for counter in ["a", "b", "c"] {
                        var states: [[String]] = []
                        for name in ["batch", "alone"] {
                            let slots = try await fixture.send("LRANGE", Keys.rateSlots(name + counter), 0, -1)
                            var amounts: [String] = []
                            let hash = try await fixture.send("HGETALL", Keys.rateAmounts(name + counter)).array ?? []
                            for place in stride(from: 0, to: hash.count, by: 2) {
                                amounts.append("\(hash[place].string ?? "")=\(hash[place + 1].string ?? "")")
                            }
                            states.append((slots.array ?? []).compactMap(\.string) + amounts.sorted())
                        }
                        #expect(states[0] == states[1], "seed \(seed), counter \(counter)")
                    }
                }
            }
        }
    }

    /// What the window has left behind goes with a refusal, and the counter lives on for what it holds.
    @Test func `a counter that a refusal cleans lives on`() async throws {
        try await QueueFixture.run { fixture in
            let one = RateCharge(rule: "r", counter: "a", amount: 1, limit: 2, window: 60_000, isEnforced: true)
            let start = 1_800_000_000_000
            for later in [0, 59_000] {
                guard case .counted = try await charge([one], at: start + later, Self.script(), on: fixture.redis)
                else {
                    Issue.record("it was refused")
                    return
                }
            }
            for key in [Keys.rateSlots("a"), Keys.rateAmounts("a")] { try await fixture.send("PEXPIRE", key, 30_000) }
            var two = one
            two.amount = 2
            guard case .refused = try await charge([two], at: start + 60_000, Self.script(), on: fixture.redis) else {
                Issue.record("it was counted")
                return
            }
            #expect(try await fixture.send("LLEN", Keys.rateSlots("a")).int == 1)
            for key in [Keys.rateSlots("a"), Keys.rateAmounts("a")] {
                #expect(try await fixture.send("PTTL", key).int ?? 0 > 100_000)
            }
        }
    }

    /// A counter with more times than it keeps exactly never lets more in, and lets it in a bucket late at most.
    @Test func `beyond the exact times nothing is let in early`() async throws {
        let script = Self.script(exactSlots: 20)
        let width = 1000
        try await QueueFixture.run { fixture in
            for seed in UInt64(1)...6 {
                try await fixture.send("FLUSHALL")
                var random = SeededRandom(seed: seed)
                var model = Model()
                var now = 1_800_000_000_003
                var refusals = 0
                for _ in 0..<600 {
                    now += random.pick([100, 200, 300, 2000, 12_000])
                    let one = RateCharge(
                        rule: "r", counter: "a", amount: 1, limit: 150, window: 600 * width, isEnforced: true)
                    let result = try await charge([one], at: now, script, on: fixture.redis)
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
                let slots = try await fixture.send("LLEN", Keys.rateSlots("a")).int ?? 0
                #expect(slots <= 20 + 600 + 1)
            }
        }
    }

    /// What was given back leaves a time behind, and these are bounded too.
    @Test func `times with nothing at them are bounded`() async throws {
        let script = Self.script(exactSlots: 20)
        try await QueueFixture.run { fixture in
            let day = RateCharge(rule: "r", counter: "b", amount: 1, limit: 5, window: 600_000, isEnforced: true)
            for step in 0..<200 {
                _ = try await charge([day], at: 1_800_000_000_000 + 3 * step, script, on: fixture.redis)
                for slot in try await fixture.send("LRANGE", Keys.rateSlots("b"), 0, -1).array ?? [] {
                    try await fixture.send("HSET", Keys.rateAmounts("b"), slot.string ?? "", 0)
                }
                try await fixture.send("HSET", Keys.rateAmounts("b"), "sum", 0)
            }
            #expect(try await fixture.send("LLEN", Keys.rateSlots("b")).int ?? 0 <= 22)
        }
    }

    /// A refusal takes away what the window has left behind, and nothing else.
    @Test func `a refusal looks through old times once`() async throws {
        try await QueueFixture.run { fixture in
            let old = RateCharge(rule: "r", counter: "old", amount: 1, limit: 900, window: 100_000, isEnforced: true)
            let full = RateCharge(rule: "r", counter: "full", amount: 1, limit: 1, window: 10_000_000, isEnforced: true)
            let start = 1_800_000_000_000
            for step in 0..<700 {
                _ = try await charge([old], at: start + 100 * step, Self.script(), on: fixture.redis)
            }
            _ = try await charge([full], at: start + 70_000, Self.script(), on: fixture.redis)
            let result = try await charge([old, full], at: start + 120_000, Self.script(), on: fixture.redis)
            #expect(result == .refused(place: 1, RateUsage(used: 1, reset: 9_950_000)))
            #expect(try await fixture.send("LLEN", Keys.rateSlots("old")).int == 499)
            #expect(try await fixture.send("HGET", Keys.rateAmounts("old"), "sum").string == "499")
            #expect(
                try await charge([old], at: start + 120_000, Self.script(), on: fixture.redis)
                    == .counted([RateUsage(used: 500, reset: 100)]))
        }
    }

    /// The counter lives as long as anything in it counts, and not for ever.
    @Test func `a counter lives two windows`() async throws {
        try await QueueFixture.run { fixture in
            let one = RateCharge(rule: "r", counter: "a", amount: 2, limit: 100, window: 60_000, isEnforced: true)
            for later in [0, 59_999, 60_000] {
                _ = try await charge([one], at: 1_800_000_000_000 + later, Self.script(), on: fixture.redis)
                for key in [Keys.rateSlots("a"), Keys.rateAmounts("a")] {
                    let left = try await fixture.send("PTTL", key).int ?? 0
                    #expect((110_000...120_000).contains(left), "\(key)")
                }
            }
            #expect(try await fixture.send("HGET", Keys.rateAmounts("a"), "sum").string == "4")
            #expect(try await fixture.send("HLEN", Keys.rateAmounts("a")).int == 5, "what has left the window is gone")
        }
    }
}

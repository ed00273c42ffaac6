internal import Common
internal import Redis

/// The limits that the jobs of one batch are counted on, each once, and the amounts that each job counts on them. Jobs
/// of one moment mostly meet the same limits.
struct BatchLimits: Sendable {
    /// The script's keys and arguments that each limit adds.
    static let keys = 2

    private struct Identity: Hashable {
        let counter: UTF8Text
        let limit: Int
        let window: Int
        let isEnforced: Bool
        let isSettled: Bool
    }

    /// One charge on each limit.
    private(set) var limits: [RateCharge] = []
    /// For each limit, the place of the first limit with the same counter.
    private var counters: [Int] = []
    /// For each charge of each job, in their order: its limit, and the amount.
    private var charges: [(limit: Int, amount: Int)] = []

    init(_ steps: [EnqueueStep]) {
        guard steps.contains(where: { !$0.job.charges.isEmpty }) else { return }
        // Two configurations meet in a batch while one takes the other's place, and differ in more than the counter.
        var known: [Identity: Int] = [:]
        var counters: [UTF8Text: Int] = [:]
        var last: [RateCharge] = []
        for step in steps {
            let own = step.job.charges
            // Mostly a job meets the limits of the one before it, whose charges stand last.
            if own.count == last.count, zip(own, last).allSatisfy({ $0.isOnLimit(of: $1) }) {
                let before = charges.count - own.count
                for (place, charge) in own.enumerated() {
                    charges.append((charges[before + place].limit, charge.amount))
                }
                continue
            }
            if !own.isEmpty { last = own }
            for charge in own {
                let counter = UTF8Text(charge.counter)
                let identity = Identity(
                    counter: counter, limit: charge.limit, window: charge.window, isEnforced: charge.isEnforced,
                    isSettled: charge.isSettled)
                let limit = known[identity] ?? limits.count
                if limit == limits.count {
                    known[identity] = limit
                    limits.append(charge)
                    let first = counters[counter] ?? limit
                    counters[counter] = first
                    self.counters.append(first)
                }
                charges.append((limit, charge.amount))
            }
        }
    }

    func appendKeys(to command: inout RedisCommand) {
        for limit in limits {
            command.append(Keys.rateSlots(limit.counter))
            command.append(Keys.rateAmounts(limit.counter))
        }
    }

    func appendLimits(to command: inout RedisCommand) {
        for limit in limits {
            command.append(limit.limit)
            command.append(limit.window)
            command.append(limit.isEnforced ? "1" : "")
            command.append(limit.isSettled ? "1" : "")
        }
    }

    func appendCharges(to command: inout RedisCommand) {
        for charge in charges {
            // The script counts places from 1.
            command.append(charge.limit + 1)
            command.append(charge.amount)
        }
    }
}

extension BatchLimits {
    /// The counts of one job.
    struct Count {
        /// The usage of each charge's counter, after this job.
        var usage: [RateUsage] = []
        /// The slots of the charges that the job's end corrects.
        var slots: [Int] = []
    }

    /// Divides the script's numbers for each limit among the jobs. A counter's amount after each job follows from its
    /// amount after all of them.
    /// - Parameters:
    ///   - results: of each job: a positive number if it was counted.
    ///   - usage: three numbers for each limit.
    /// - Returns: for each job its count; an empty list if no job has charges.
    func counts(of steps: [EnqueueStep], results: RedisValue, usage: RedisValue) -> [Count] {
        guard !limits.isEmpty else { return [] }
        let numbers = limits.indices.map { limit in
            (
                used: usage[3 * limit].int ?? 0, reset: usage[3 * limit + 1].int ?? 0,
                slot: usage[3 * limit + 2].int ?? 0
            )
        }
        var later = Array(repeating: 0, count: limits.count)
        var counts = Array(repeating: Count(), count: steps.count)
        var end = charges.count
        for (place, step) in steps.enumerated().reversed() {
            let own = end - step.job.charges.count..<end
            end = own.lowerBound
            guard case .integer(1...) = results[place] else { continue }
            counts[place].usage = own.map { _ in RateUsage(used: 0, reset: 0) }
            for (index, charge) in own.enumerated().reversed() {
                let (limit, amount) = charges[charge]
                let number = numbers[limit]
                counts[place].usage[index] = RateUsage(bounding: number.used &- later[counters[limit]], number.reset)
                later[counters[limit]] &+= amount
            }
            for charge in own where limits[charges[charge].limit].isSettled {
                counts[place].slots.append(numbers[charges[charge].limit].slot)
            }
        }
        return counts
    }
}

extension RateCharge {
    /// Whether both count on one counter, within the same limit.
    fileprivate func isOnLimit(of other: RateCharge) -> Bool {
        counter == other.counter && limit == other.limit && window == other.window && isEnforced == other.isEnforced
            && isSettled == other.isSettled
    }
}

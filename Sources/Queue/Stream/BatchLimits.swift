internal import Common
internal import Redis

/// The limits that the jobs of one batch are counted on, each once, and what each job counts on them. Jobs of a moment
/// mostly meet the same ones.
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

    /// A charge on each of them.
    private(set) var limits: [RateCharge] = []
    /// For each charge of each job, in their order: the place of its limit, from 1, and the amount.
    private var charges: [(limit: Int, amount: Int)] = []

    init(_ steps: [EnqueueStep]) {
        guard steps.contains(where: { !$0.job.charges.isEmpty }) else { return }
        // Two configurations meet in a batch while one takes the other's place, and differ in more than the counter.
        var places: [Identity: Int] = [:]
        for step in steps {
            for charge in step.job.charges {
                let identity = Identity(
                    counter: UTF8Text(charge.counter), limit: charge.limit, window: charge.window,
                    isEnforced: charge.isEnforced, isSettled: charge.isSettled)
                let known = places[identity]
                if known == nil {
                    limits.append(charge)
                    places[identity] = limits.count
                }
                charges.append((known ?? limits.count, charge.amount))
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
            command.append(charge.limit)
            command.append(charge.amount)
        }
    }
}

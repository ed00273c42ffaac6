package import Common
package import Redis

/// Reads what rate limits have counted. It counts nothing, and makes no key.
package struct RateReader: Sendable {
    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// Reads the present values of the charges' counters, each before its charge is counted.
    /// - Returns: for each charge what its counter holds, and until it holds less; of a charge that does not fit, until
    ///   it does.
    package func usage(of charges: [RateCharge]) async throws(RedisError) -> [RateUsage] {
        guard !charges.isEmpty else { return [] }
        let keys = charges.flatMap { [Keys.rateSlots($0.counter), Keys.rateAmounts($0.counter)] }
        let reply = try await redis.evaluate(JobScripts.usage, keys: keys) { command in
            for charge in charges {
                for number in [charge.amount, charge.limit, charge.window] { command.append(number) }
            }
        }
        let values = (reply.array ?? []).map { $0.int ?? 0 }
        return charges.indices.map { place in
            guard values.indices.contains(2 * place + 1) else { return RateUsage(used: 0, reset: 0) }
            return RateUsage(bounding: values[2 * place], values[2 * place + 1])
        }
    }
}

extension JobScripts {
    /// Reads counters of rate limits. The server itself refuses a write of this script (`no-writes`).
    ///
    /// - KEYS, for each charge: its `slots` and `amounts`, as `rates` has them
    /// - ARGV, for each charge: amount, limit, window in milliseconds
    ///
    /// Output: for each charge what its counter holds, and milliseconds until it holds less, or until the charge fits.
    static let usage = RedisScript(
        name: "usage",
        source: "#!lua flags=no-writes\n" + clock + numbers + rates + """
            local result = {}
            for index = 0, #KEYS / 2 - 1 do
                local amount = tonumber(ARGV[3 * index + 1])
                local limit = {
                    slots = KEYS[2 * index + 1], amounts = KEYS[2 * index + 2],
                    limit = tonumber(ARGV[3 * index + 2]), window = tonumber(ARGV[3 * index + 3])}
                local counter = counter_of(limit)
                local reset = counter.oldest and counter.oldest + counter.window - now or 0
                if counter.used + amount > limit.limit then reset = opens_in(limit, amount) end
                result[#result + 1] = counter.used
                result[#result + 1] = reset
            end
            return result
            """)
}

internal import Common
internal import Logging
internal import Queue

/// Says in the log which limits with `mode: audit` requests have passed.
struct RateAudit: Sendable {
    let logger: Logger
    private let log = SparseLog()

    init(logger: Logger) { self.logger = logger }

    /// - Parameter usage: of each charge.
    func note(_ charges: [RateCharge], _ usage: [RateUsage]) {
        for (charge, usage) in zip(charges, usage) where !charge.isEnforced && usage.used > charge.limit {
            guard let count = log.note() else { continue }
            logger.notice(
                "requests were let in beyond rate limits whose `mode` is `audit`",
                metadata: ["requests": "\(count)", "rule": "\(charge.ruleID)", "limit": "\(charge.limit)"])
        }
    }
}

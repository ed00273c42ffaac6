internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import Queue

/// Says in the log, and in the audit log, which limits with `mode: audit` requests have passed, each once a minute.
final class RateAudit: Sendable {
    private let audit: AuditLog?
    private let logger: Logger
    private let logs = NIOLockedValueBox<[UTF8Text: SparseLog]>([:])

    init(audit: AuditLog? = nil, logger: Logger) {
        self.audit = audit
        self.logger = logger
    }

    /// - Parameter usage: of each of the job's charges.
    func note(_ job: Job, _ usage: [RateUsage]) {
        for (charge, usage) in zip(job.charges, usage) where !charge.isEnforced && usage.used > charge.limit {
            audit?.noteSparsely(.ruleAudited, of: charge.ruleID, project: job.project, example: job.insertionID)
            let log = logs.withLockedValue { logs in
                let log = logs[charge.ruleID] ?? SparseLog()
                logs[charge.ruleID] = log
                return log
            }
            guard let count = log.note() else { continue }
            logger.notice(
                "requests were let in beyond a rate limit whose `mode` is `audit`",
                metadata: ["requests": "\(count)", "rule": "\(charge.ruleID)", "limit": "\(charge.limit)"])
        }
    }
}

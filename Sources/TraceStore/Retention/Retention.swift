internal import Common
internal import Logging
internal import ServiceLifecycle

/// Deletes what is too old, or more than may be kept. It looks every few seconds, so the bound on bytes may be passed
/// by what comes in between.
struct Retention: NamedService {
    /// The time between two looks.
    static let pause = Duration.seconds(10)
    /// The part of the allowed bytes that deletion goes down to, so that it does not begin again at once.
    private static let lowWater = 0.95

    let database: TraceDatabase
    let limits: RetentionLimits
    let now: @Sendable () -> Timestamp
    let logger: Logger
    /// The request log in the same file, whose rows count among its bytes; nil: there is none.
    var requests: RequestDatabase?
    /// The audit log in the same file; nil: there is none.
    var audits: AuditDatabase?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await every(Self.pause) {
                do {
                    try await trim()
                } catch is CancellationError {
                    // The process ends.
                } catch is StoreFileGone {
                    // StoreFileWatch says so.
                } catch {
                    logger.error("old traces and requests cannot be deleted", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Deletes until the limits are kept.
    func trim() async throws {
        let cutoff = now() - limits.age
        while try await database.deleteOldest(before: cutoff) > 0 { try Task.checkCancellation() }
        while try await database.deleteOldestScores(before: cutoff) > 0 { try Task.checkCancellation() }
        if let requests {
            let cutoff = now() - limits.requestAge
            while try await requests.deleteOldest(before: cutoff) > 0 { try Task.checkCancellation() }
        }
        if let audits {
            let cutoff = now() - limits.auditAge
            while try await audits.deleteOldest(before: cutoff) > 0 { try Task.checkCancellation() }
        }
        try await trimToSize()
        if let requests {
            while try await requests.deleteUnusedTerms(now: now()) > 0 { try Task.checkCancellation() }
        }
    }

    private func trimToSize() async throws {
        guard try await database.usedBytes() > limits.bytes else { return }
        let goal = Int(Double(limits.bytes) * Self.lowWater)
        var deleted = 0
        while try await database.usedBytes() > goal {
            try Task.checkCancellation()
            var count = try await deleteOldest()
            // They go last, since few of them tell of much.
            if count == 0, let audits { count = try await audits.deleteOldest() }
            if count == 0 { break }
            deleted += count
        }
        logger.notice(
            "the oldest rows were deleted to keep the store within its bound",
            metadata: ["rows": "\(deleted)"])
    }

    /// Deletes some of the oldest rows: traces, scores or requests, which of them begin earlier.
    private func deleteOldest() async throws -> Int {
        let trace = try await database.oldest() ?? .distantFuture
        let score = try await database.oldestScore() ?? .distantFuture
        if let requests, let request = try await requests.oldest(), request < min(trace, score) {
            return try await requests.deleteOldest()
        }
        return score < trace ? try await database.deleteOldestScores() : try await database.deleteOldest()
    }
}

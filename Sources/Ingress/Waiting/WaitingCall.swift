internal import Common

/// What is left at the ingress of a job that was queued, while its client waits. Not the job, whose body may be large and is on the queue by now.
struct WaitingCall: Sendable {
    var id: InsertionID
    /// When nobody waits any longer.
    var deadline: Deadline
    /// Bytes of the answer that may be under way.
    var window: Int
    /// Seals the answer's frames; nil: the gateway's key does.
    var seal: OwnSeal?
    /// Where the answer comes in; nil if it is kept under the job's own key and followed there.
    var waiter: Waiter?
    /// What is left of the rate limits that the job was counted on; nil: it was on none.
    var rates: RateStatus?
    /// Whether the job was queued before, under the same Idempotency-Key.
    var isRepeated = false
}

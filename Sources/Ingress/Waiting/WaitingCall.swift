internal import Common

/// The part of a queued job that stays at the ingress while its client waits: not its body, which may be large.
struct WaitingCall: Sendable {
    var id: InsertionID
    /// The time at which the client stops waiting.
    var deadline: Deadline
    /// Bytes of the answer that may be under way.
    var window: Int
    /// Seals the answer's frames; nil: the gateway's key does.
    var seal: OwnSeal?
    /// The waiter that receives the answer; nil if the answer is kept under the job's own key and followed there.
    var waiter: Waiter?
    /// The rest of the rate limits on which the job was counted; nil: it was on none.
    var rates: RateStatus?
    /// Whether the job was queued before, under the same Idempotency-Key.
    var isRepeated = false
}

internal import Common

/// Bounds of the calls that are made for one job.
struct CallLimits: Sendable {
    /// Tries of a call that cannot reach its provider (`UPSTREAM_ATTEMPTS`).
    var tries = 3
    /// All calls, over all targets (`MAX_ATTEMPTS`).
    var calls = 10
    /// The time for which bytes of an answer may lie here before they are sent (`FLUSH_INTERVAL_MS`).
    var flushInterval = Duration.milliseconds(20)
    /// The time for which the beginning of an answer may be held back (`PREAMBLE_HOLD`).
    var hold = Duration.seconds(10)
    /// Bytes that may be held back (`PREAMBLE_HOLD_BYTES`).
    var holdBytes = 64 << 10
}

extension CallLimits {
    init(_ settings: Settings) {
        self.init(
            tries: settings.calls.attempts, calls: settings.calls.maxAttempts,
            flushInterval: settings.calls.flushInterval,
            hold: settings.calls.preambleHold, holdBytes: settings.calls.preambleHoldBytes)
    }
}

/// The difference between this machine's clock and that of the Redis server, and the log's lines about it. Pure:
/// measurements go in, lines for the log come out.
///
/// Deadlines and the times within insertion ids are compared across machines, so that such a difference moves them.
struct ClockSkew: Sendable {
    /// The interval at which a lasting difference is logged again.
    private static let reminder = Duration.seconds(600)

    /// The difference from which on it is warned of (`CLOCK_SKEW_SECONDS`).
    let limit: Duration
    /// The certain part of the difference: positive where this machine is ahead. Nil: the difference is within the
    /// limit.
    private(set) var known: Duration?
    private var said = ContinuousClock.Instant.now

    init(limit: Duration) { self.limit = limit }

    /// Takes a measurement.
    /// - Parameters:
    ///   - server: the server's clock, as it answered.
    ///   - sent: this machine's clock before the question.
    ///   - heard: the same after the answer.
    /// - Returns: the line for the log; nil if there is nothing to say.
    mutating func see(server: Timestamp, sent: Timestamp, heard: Timestamp, now: ContinuousClock.Instant) -> String? {
        // Within the round trip the server may have answered at any time, and a machine whose clock was set meanwhile
        // has measured nothing.
        guard heard >= sent else { return nil }
        let skew = server < sent ? sent - server : server > heard ? heard - server : .zero
        guard skew > limit || skew < .zero - limit else {
            defer { known = nil }
            return known == nil ? nil : "the clocks of this machine and of Redis agree again"
        }
        let isNew = known == nil
        known = skew
        guard isNew || said.duration(to: now) >= Self.reminder else { return nil }
        said = now
        return warning
    }

    /// The warning for operators; nil: there is none.
    var warning: String? {
        known.map { skew in
            let seconds = Double(abs(skew.milliseconds)) / 1000
            let tenths = Int64((seconds * 10).rounded())
            return
                "this machine's clock is \(tenths / 10).\(tenths % 10) s \(skew > .zero ? "ahead of" : "behind") that "
                + "of "
                + "Redis: deadlines and the times of traces are wrong by as much; set both by NTP"
        }
    }
}

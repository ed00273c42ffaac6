/// The time at which something is over. Within a process it goes by the monotonic clock, so a step of the machine's
/// clock neither ends a wait nor prolongs it. Between processes it travels as wall-clock time, which is read once, on
/// arrival.
package struct Deadline: Sendable {
    /// The deadline as it travels between processes.
    package let timestamp: Timestamp
    private let instant: ContinuousClock.Instant

    /// The deadline of something that came from another process.
    /// - Parameters:
    ///   - timestamp: as it travelled.
    ///   - wall: the time by this machine's clock.
    package init(at timestamp: Timestamp, wall: Timestamp = .now, now: ContinuousClock.Instant = .now) {
        self.timestamp = timestamp
        instant = now + (timestamp - wall)
    }

    /// The deadline of something that begins here.
    package init(in duration: Duration, wall: Timestamp = .now, now: ContinuousClock.Instant = .now) {
        timestamp = wall + duration
        instant = now + duration
    }

    private init(at timestamp: Timestamp, instant: ContinuousClock.Instant) {
        self.timestamp = timestamp
        self.instant = instant
    }

    /// A deadline that does not come.
    package static var distantFuture: Self { Self(at: .distantFuture) }

    /// A deadline that is over already.
    package static var past: Self { Self(at: .epoch) }

    /// The time that is left until the deadline; negative after it.
    package func left(at now: ContinuousClock.Instant = .now) -> Duration { now.duration(to: instant) }

    package func isOver(at now: ContinuousClock.Instant = .now) -> Bool { instant <= now }

    /// This deadline, or now if it is over.
    package var orNow: Self { isOver() ? Self(in: .zero) : self }

    package static func + (deadline: Self, duration: Duration) -> Self {
        Self(at: deadline.timestamp + duration, instant: deadline.instant + duration)
    }

    package static func - (deadline: Self, duration: Duration) -> Self { deadline + (.zero - duration) }
}

/// Two deadlines are equal if they travel as the same time.
extension Deadline: Equatable {
    package static func == (left: Self, right: Self) -> Bool { left.timestamp == right.timestamp }
}

/// When something is over. Within a process it goes by the monotonic clock, so a step of the machine's clock
/// neither ends a wait nor prolongs it. Between processes it travels as wall-clock time, which is read once, at the
/// door.
package struct Deadline: Sendable {
    /// As it travels: milliseconds since 1970.
    package let unixMilliseconds: UInt64
    private let instant: ContinuousClock.Instant

    /// The deadline of something that came from another process.
    /// - Parameters:
    ///   - unixMilliseconds: milliseconds since 1970; any 64 bits.
    ///   - wall: what this machine's clock says, in milliseconds since 1970.
    package init(
        unixMilliseconds: UInt64, wall: UInt64 = UnixTime.milliseconds, now: ContinuousClock.Instant = .now
    ) {
        self.unixMilliseconds = unixMilliseconds
        instant = now + .milliseconds(Int64(clamping: unixMilliseconds) - Int64(clamping: wall))
    }

    /// The deadline of something that begins here.
    package init(in duration: Duration, wall: UInt64 = UnixTime.milliseconds, now: ContinuousClock.Instant = .now) {
        unixMilliseconds = Self.sum(wall, duration)
        instant = now + duration
    }

    private init(unixMilliseconds: UInt64, instant: ContinuousClock.Instant) {
        self.unixMilliseconds = unixMilliseconds
        self.instant = instant
    }

    /// A deadline that does not come.
    package static var distantFuture: Self { Self(unixMilliseconds: .max) }

    /// The deadline of what waits for nothing.
    package static var past: Self { Self(unixMilliseconds: 0) }

    /// What is left until then; negative behind it.
    package func left(at now: ContinuousClock.Instant = .now) -> Duration { now.duration(to: instant) }

    package func isOver(at now: ContinuousClock.Instant = .now) -> Bool { instant <= now }

    /// This deadline, or now if it is over.
    package var orNow: Self { isOver() ? Self(in: .zero) : self }

    package static func + (deadline: Self, duration: Duration) -> Self {
        Self(unixMilliseconds: sum(deadline.unixMilliseconds, duration), instant: deadline.instant + duration)
    }

    package static func - (deadline: Self, duration: Duration) -> Self { deadline + (.zero - duration) }

    private static func sum(_ time: UInt64, _ duration: Duration) -> UInt64 {
        let (sum, isTooMuch) = Int64(clamping: time).addingReportingOverflow(duration.milliseconds)
        return isTooMuch ? .max : UInt64(clamping: sum)
    }
}

/// Two deadlines are equal if they travel as the same time.
extension Deadline: Equatable {
    package static func == (left: Self, right: Self) -> Bool { left.unixMilliseconds == right.unixMilliseconds }
}

internal import Glibc

/// An instant of the wall clock, to the millisecond, from 1970-01-01T00:00:00Z on.
///
/// It is what travels between processes and stands in rows. Waits within a process go by the monotonic clock instead
/// (``Deadline``). Arithmetic saturates: an instant may come from another program, and may be any 64 bits.
package struct Timestamp: Comparable, Hashable, Sendable {
    /// Milliseconds since 1970, as the wire, Redis and the tables have them.
    package let milliseconds: UInt64

    package init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// A number of milliseconds of any kind. A negative one counts as 0.
    package init(clamping milliseconds: some BinaryInteger) { self.init(milliseconds: UInt64(clamping: milliseconds)) }

    /// The present time, by this machine's clock.
    package static var now: Self {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Self(milliseconds: UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000)
    }

    /// The earliest instant: the beginning of 1970.
    package static var epoch: Self { Self(milliseconds: 0) }

    /// An instant that does not come.
    package static var distantFuture: Self { Self(milliseconds: .max) }

    package static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    package static func + (time: Self, duration: Duration) -> Self {
        let (step, isBack) = (duration.milliseconds.magnitude, duration < .zero)
        if isBack { return Self(milliseconds: time.milliseconds - min(time.milliseconds, step)) }
        let (sum, isTooMuch) = time.milliseconds.addingReportingOverflow(step)
        return isTooMuch ? .distantFuture : Self(milliseconds: sum)
    }

    package static func - (time: Self, duration: Duration) -> Self { time + (.zero - duration) }

    /// The time from `right` to `left`; negative if `left` is the earlier one.
    package static func - (left: Self, right: Self) -> Duration {
        .milliseconds(Int64(clamping: left.milliseconds) - Int64(clamping: right.milliseconds))
    }

    /// The time since an earlier instant; zero if that one is not earlier.
    package func elapsed(since start: Self) -> Duration { max(self - start, .zero) }

    /// The same in milliseconds, as rows and metrics have lengths of time.
    package func milliseconds(since start: Self) -> UInt64 { milliseconds - min(milliseconds, start.milliseconds) }
}

extension Duration {
    /// Whole milliseconds, as many as there can be: a length may come from another program.
    package var milliseconds: Int64 {
        let (seconds, rest) = (components.seconds, components.attoseconds / 1_000_000_000_000_000)
        let (product, isTooMuch) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, isStillTooMuch) = product.addingReportingOverflow(rest)
        return isTooMuch || isStillTooMuch ? (seconds < 0 ? .min : .max) : sum
    }
}

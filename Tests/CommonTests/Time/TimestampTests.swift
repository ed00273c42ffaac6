import TestSupport
import Testing

@testable import Common

@Suite struct TimestampTests {
    @Test func `instants are in the order of time`() {
        let times: [Timestamp] = [.epoch, 1, 1_763_812_345_678, .distantFuture]
        #expect(times.reversed().sorted() == times && Set(times + times).count == times.count)
        #expect(Timestamp.epoch < 1 && !(Timestamp.distantFuture < .distantFuture))
    }

    @Test(
        arguments: [
            (1000, .milliseconds(500), 1500), (1000, .milliseconds(-500), 500), (1000, .milliseconds(-1000), .epoch),
            (1000, .milliseconds(-1001), .epoch), (1000, .microseconds(-900), 1000), (.epoch, .seconds(-1), .epoch),
            (.distantFuture, .zero, .distantFuture), (.distantFuture, .milliseconds(1), .distantFuture),
            (.distantFuture, .milliseconds(-1), Timestamp(milliseconds: .max - 1)),
            (Timestamp(milliseconds: .max - 5), .milliseconds(Int64.max), .distantFuture),
            (.epoch, .milliseconds(Int64.max), Timestamp(milliseconds: 1 << 63 - 1)),
            (5, .milliseconds(Int64.min), .epoch),
        ] as [(Timestamp, Duration, Timestamp)])
    func `a sum stays within what there is`(time: Timestamp, duration: Duration, sum: Timestamp) {
        #expect(time + duration == sum)
        // There is no opposite of the least duration.
        if duration > .milliseconds(Int64.min) { #expect(time - (.zero - duration) == sum) }
    }

    @Test(
        arguments: [
            (1500, 1000, 500), (1000, 1500, -500), (7, 7, 0), (.distantFuture, .epoch, Int64.max),
            (.epoch, .distantFuture, -Int64.max), (.distantFuture, .distantFuture, 0),
        ] as [(Timestamp, Timestamp, Int64)])
    func `a difference has a sign and an elapsed time has none`(left: Timestamp, right: Timestamp, difference: Int64) {
        #expect(left - right == .milliseconds(difference))
        #expect(left.elapsed(since: right) == .milliseconds(max(difference, 0)))
        #expect(Int64(clamping: left.milliseconds(since: right)) == max(difference, 0))
    }

    @Test(arguments: [
        (Duration.seconds(Int64.max), Int64.max), (.seconds(Int64.min), .min), (.milliseconds(Int64.max), .max),
        (.milliseconds(Int64.min), .min), (.milliseconds(-1), -1), (.microseconds(1_999), 1),
    ])
    func `a length of any size has milliseconds`(duration: Duration, milliseconds: Int64) {
        #expect(duration.milliseconds == milliseconds)
        #expect(Timestamp.epoch + duration == Timestamp(clamping: milliseconds))
    }

    @Test func `a number of any kind is an instant`() {
        #expect(Timestamp(clamping: -1) == .epoch && Timestamp(clamping: Int64.min) == .epoch)
        #expect(Timestamp(clamping: Int.max).milliseconds == UInt64(Int.max))
    }

    @Test func `now is this machine's time`() throws {
        let (before, after) = (Timestamp.now, Timestamp.now)
        #expect(before <= after && after - before < .seconds(60))
        #expect(try before > #require(Timestamp(iso8601: "2025-01-01")))
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00.000Z", 0), ("2025-11-22T19:26:39.120Z", 1_763_839_599_120),
            ("2099-12-31T23:59:59.999Z", 4_102_444_799_999),
        ] as [(String, Timestamp)])
    func `it is read as it is written`(text: String, time: Timestamp) {
        #expect(time.iso8601 == text && Timestamp(iso8601: text) == time)
    }

    @Test(arguments: ["", "now", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00+01:00"])
    func `what is no time from 1970 on is none`(text: String) { #expect(Timestamp(iso8601: text) == nil) }

    /// Such as no calendar has room for.
    @Test func `the last instant can be written`() {
        #expect(Timestamp.distantFuture.iso8601 == TimeText.iso(.max))
    }
}

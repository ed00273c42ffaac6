import TestSupport
import Testing

@testable import Common

/// Deadlines travel as wall-clock time, and go by a clock that nobody sets.
@Suite struct DeadlineTests {
    private let start = ContinuousClock.now

    /// The wall clock is read at the door alone: where it is put afterwards changes nothing.
    @Test(arguments: [10_800_000, -10_800_000] as [Int64]) func `is read once at the door`(_ step: Int64) {
        let wall: Timestamp = 1_763_812_345_678
        let sent = Deadline(in: .seconds(20), wall: wall, now: start)
        #expect(sent.timestamp == wall + 20_000)
        #expect(!sent.isOver(at: start + .milliseconds(19_999)) && sent.isOver(at: start + .seconds(20)))
        // A process that hears of it later, whose clock has been put meanwhile.
        let later = start + .seconds(5)
        let heard = Deadline(at: sent.timestamp, wall: wall + (5000 + step), now: later)
        #expect(heard.left(at: later) == .milliseconds(15_000 - step))
        #expect(heard == sent, "it travels on as it came")
    }

    /// A deadline is any 64 bits; no arithmetic on it may trap.
    @Test(arguments: [(0, -1000), (2000, 1000), (UInt64.max, Int64.max - 1000)] as [(UInt64, Int64)])
    func `says what is left`(_ deadline: UInt64, _ milliseconds: Int64) {
        let deadline = Deadline(at: Timestamp(milliseconds: deadline), wall: 1000, now: start)
        #expect(deadline.left(at: start) == .milliseconds(milliseconds))
    }

    @Test func `is moved by both clocks`() {
        let deadline = Deadline(in: .seconds(1), wall: 10_000, now: start)
        #expect((deadline + .seconds(2)).timestamp == 13_000)
        #expect((deadline + .seconds(2)).left(at: start) == .seconds(3))
        #expect((deadline - .seconds(20)).timestamp == .epoch && (deadline - .seconds(20)).isOver(at: start))
        #expect((Deadline.distantFuture + .seconds(2)).timestamp == .distantFuture)
        #expect(Deadline.past.isOver() && !Deadline.distantFuture.isOver())
        #expect(Deadline.past.orNow.left() > .seconds(-5))
    }
}

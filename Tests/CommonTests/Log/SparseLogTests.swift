import Testing

@testable import Common

@Suite struct SparseLogTests {
    @Test func `says once in a while how many came`() {
        let log = SparseLog(every: .seconds(60))
        let now = ContinuousClock.now
        #expect(log.note(now: now) == 1)
        for second in 1..<60 { #expect(log.note(2, now: now + .seconds(second)) == nil) }
        #expect(log.note(now: now + .seconds(60)) == 119)
        #expect(log.note(now: now + .seconds(61)) == nil)
        #expect(log.note(3, now: now + .seconds(1000)) == 4)
    }
}

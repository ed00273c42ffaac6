import Testing

@testable import Common

@Suite struct BackoffTests {
    @Test func `pauses double up to the longest, and begin anew`() {
        var backoff = Backoff(first: .milliseconds(20), longest: .milliseconds(500))
        let pauses = (0..<7).map { _ in backoff.next() }
        #expect(pauses == [20, 40, 80, 160, 320, 500, 500].map { .milliseconds($0) })
        backoff.reset()
        #expect(backoff.next() == .milliseconds(20))
    }

    @Test func `no pause is longer than the longest, not even the first`() {
        var backoff = Backoff(first: .seconds(60), longest: .seconds(30))
        #expect([backoff.next(), backoff.next()] == [.seconds(30), .seconds(30)])
        backoff.reset()
        #expect(backoff.next() == .seconds(30))
    }
}

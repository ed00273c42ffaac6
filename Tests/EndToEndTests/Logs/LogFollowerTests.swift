import Common
import TestSupport
import Testing

@testable import GatewayCommand

/// Which requests `logs --follow` shows, and how far back it looks for them.
@Suite struct LogFollowerTests {
    @Test func `each request is shown once`() {
        var follower = LogFollower(known: [LogTableTests.row("a")], now: 0)
        func news(_ ids: String...) -> [String] {
            follower.news(in: ids.map { LogTableTests.row($0) }, at: 1).map(\.insertionID)
        }
        #expect(news("b", "a") == ["b"])
        #expect(news("d", "c", "b", "a") == ["d", "c"])
        #expect(news("d") == [])
    }

    /// A call that came in long ago and has ended now is found by a look that sees far.
    @Test func `every few seconds it sees far`() {
        var follower = LogFollower(known: [LogRow](), now: 1000)
        let windows = stride(from: 2000, through: 32_000, by: 1000).map {
            follower.nextWindow(at: Timestamp(clamping: $0))
        }
        let far = windows.indices.filter { windows[$0] == LogFollower.far }
        #expect(far.map { 2000 + 1000 * $0 } == [16_000, 31_000])
        #expect(windows.filter { $0 != LogFollower.far } == Array(repeating: LogFollower.near, count: 29))
    }

    /// What is remembered is what can be found again.
    @Test func `what is too old to be found is forgotten`() {
        var follower = LogFollower(known: [LogTableTests.row("a")], now: 0)
        #expect(follower.news(in: [LogTableTests.row("a")], at: .epoch + LogFollower.memory).isEmpty)
        #expect(follower.news(in: [LogRow](), at: .epoch + LogFollower.memory * 2).isEmpty)
        #expect(follower.news(in: [LogTableTests.row("a")], at: .epoch + LogFollower.memory * 2).isEmpty)
        #expect(follower.news(in: [LogRow](), at: .epoch + (LogFollower.memory * 3 + .milliseconds(1))).isEmpty)
        #expect(
            follower.news(in: [LogTableTests.row("a")], at: .epoch + (LogFollower.memory * 3 + .milliseconds(1))).count
                == 1)
    }
}

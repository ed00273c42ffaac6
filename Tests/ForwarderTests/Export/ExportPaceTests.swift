import Testing

@testable import Forwarder

struct ExportPaceTests {
    private static let interval = Duration.milliseconds(500)

    /// Ends collections of so many spans, so far apart.
    /// - Returns: how long after each the next spans leave.
    private static func pauses(
        _ collections: Int, every period: Duration, of count: Int, bytes: Int = 0
    ) -> [Duration] {
        var pace = ExportPace()
        var now = ContinuousClock.now
        return (0..<collections).map { _ in
            now = now + period
            return now.duration(to: pace.next(after: now, now: now, count: count, bytes: bytes, interval: interval))
        }
    }

    @Test func `few are collected for the whole interval`() {
        #expect(Self.pauses(3, every: .milliseconds(500), of: 1) == [Self.interval, Self.interval, Self.interval])
        #expect(Self.pauses(2, every: .seconds(60), of: ExportPace.spans)[1] == Self.interval)
    }

    @Test(arguments: [(4 * ExportPace.spans, 0), (0, 4 * ExportPace.bytes), (ExportPace.spans, 4 * ExportPace.bytes)])
    func `under load a batch is collected`(count: Int, bytes: Int) {
        let pauses = Self.pauses(2, every: .milliseconds(400), of: count, bytes: bytes)
        #expect(pauses == [Self.interval, .milliseconds(100)], "nothing is known of the load at first")
    }

    /// The interval counts from when the last spans began to be sent, however long that took.
    @Test func `sending is part of the interval`() {
        var pace = ExportPace()
        let began = ContinuousClock.now
        for _ in 0..<2 {
            let next = pace.next(after: began, now: began + .seconds(2), count: 1, bytes: 1, interval: Self.interval)
            #expect(next == began + Self.interval)
        }
    }
}

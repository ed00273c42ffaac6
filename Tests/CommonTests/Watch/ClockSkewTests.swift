import TestSupport
import Testing

@testable import Common

/// The difference of two machines' clocks, as far as a round trip shows it.
@Suite struct ClockSkewTests {
    private let start = ContinuousClock.now
    private let time: Timestamp = 10_000_000

    @Test(
        arguments: [
            (12_345, "12.3 s behind"), (-12_345, "12.3 s ahead of"), (3_600_000, "3600.0 s behind"),
            (2_050, "2.1 s behind"),
        ] as [(Int64, String)])
    func `a difference is told with how much`(difference: Int64, words: String) throws {
        var skew = ClockSkew(limit: .seconds(2))
        let told = skew.see(server: time + difference, sent: time, heard: time, now: start)
        let line = try #require(told)
        #expect(line.contains(words) && skew.warning == line, "\(line)")
    }

    /// The server may have answered at any time of the round trip.
    @Test(
        arguments: [(0, 0), (2_000, 0), (-2_000, 0), (5_000, 3_000), (-1_000, 60_000), (61_000, 60_000)]
            as [(Int64, Int64)])
    func `what the round trip explains is none`(difference: Int64, trip: Int64) {
        var skew = ClockSkew(limit: .seconds(2))
        let line = skew.see(server: time + difference, sent: time, heard: time + trip, now: start)
        #expect(line == nil)
        #expect(skew.warning == nil)
    }

    @Test func `it is repeated seldom and its end is told`() {
        var skew = ClockSkew(limit: .seconds(1))
        func see(_ difference: Int64, after seconds: Int) -> String? {
            skew.see(server: time + difference, sent: time, heard: time, now: start + .seconds(seconds))
        }
        #expect(see(5_000, after: 0)?.contains("5.0 s") == true)
        #expect(see(6_000, after: 599) == nil)
        #expect(see(7_000, after: 600)?.contains("7.0 s") == true)
        #expect(see(100, after: 601)?.contains("agree again") == true)
        #expect(see(100, after: 602) == nil && skew.warning == nil)
        #expect(see(5_000, after: 603) != nil)
    }

    @Test func `a clock that was set meanwhile measures nothing`() {
        var skew = ClockSkew(limit: .seconds(1))
        let line = skew.see(server: 0, sent: 2_000_000, heard: 1_000_000, now: start)
        #expect(line == nil && skew.warning == nil)
    }
}

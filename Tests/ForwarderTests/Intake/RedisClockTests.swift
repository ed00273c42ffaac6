import Common
import Testing

@testable import Forwarder

@Suite struct RedisClockTests {
    /// An hour ahead, an hour behind, and times that no arithmetic may trap on.
    @Test(arguments: [3_600_000, -3_600_000, 0] as [Int64]) func followsTheServersTime(_ difference: Int64) {
        let clock = RedisClock()
        let before = UnixTime.milliseconds
        clock.set(UInt64(Int64(before) + difference))
        let now = Int64(clock.now) - difference
        #expect((Int64(before) - 1...Int64(UnixTime.milliseconds) + 1).contains(now))
    }

    @Test func isThisMachinesUntilItIsSet() {
        let before = UnixTime.milliseconds
        #expect((before...UnixTime.milliseconds).contains(RedisClock().now))
    }
}

internal import Common
internal import NIOConcurrencyHelpers

/// The Redis server's clock, by which entries of a stream are dated. Set by each heartbeat; until then it is this machine's.
final class RedisClock: Sendable {
    private let offset = NIOLockedValueBox<Int64>(0)

    /// Milliseconds since 1970.
    var now: UInt64 { UInt64(clamping: Int64(UnixTime.milliseconds) + offset.withLockedValue { $0 }) }

    func set(_ serverTime: UInt64) {
        offset.withLockedValue { $0 = Int64(serverTime) - Int64(UnixTime.milliseconds) }
    }
}

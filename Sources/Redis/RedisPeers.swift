internal import NIOConcurrencyHelpers

/// The connections of this process to one endpoint. News that one of them learns of the server concerns them all: a
/// subscriber, which never writes, would stay with a former primary for ever.
final class RedisPeers: Sendable {
    private let connections = NIOLockedValueBox<[ObjectIdentifier: RedisConnection]>([:])

    func add(_ connection: RedisConnection) {
        connections.withLockedValue { $0[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: RedisConnection) {
        connections.withLockedValue { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Has all of them made anew.
    func retireAll(because error: RedisError) {
        for connection in connections.withLockedValue({ Array($0.values) }) { connection.retire(because: error) }
    }
}

internal import NIOConcurrencyHelpers
internal import NIOCore

/// The open connections, by their channel: Hummingbird hands a request its channel, and this finds what belongs to it.
final class Connections: Sendable {
    private let open = NIOLockedValueBox<[ObjectIdentifier: Connection]>([:])

    /// How many clients are connected.
    var count: Int { open.withLockedValue { $0.count } }

    func add(_ channel: any Channel) -> Connection {
        let connection = Connection()
        open.withLockedValue { $0[ObjectIdentifier(channel)] = connection }
        return connection
    }

    func remove(_ channel: any Channel) {
        open.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(channel)) }?.close()
    }

    subscript(channel: any Channel) -> Connection? {
        open.withLockedValue { $0[ObjectIdentifier(channel)] }
    }
}

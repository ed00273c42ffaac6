internal import Common
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The open connections, by their channel: Hummingbird hands a request its channel, and this finds what belongs to it.
///
/// Near the limit, connections for which nothing is done give way, the oldest first. Otherwise clients that stand idle,
/// or send a byte now and then, would keep all others out.
final class Connections: Sendable {
    /// The event for the pipeline of a connection whose client is too slow with its request.
    struct TooSlow: Sendable {}

    private struct Entry: Sendable {
        var connection: Connection
        var channel: any Channel
        /// Whether it has been told to give way.
        var isLeaving = false
    }

    /// The most that are open at once.
    private let limit: Int
    /// The number of connections beyond which some give way.
    private let high: Int
    /// The time for which a connection stays open after it was accepted or answered: it may bring its next request.
    private static let youth = TimeAmount.milliseconds(250)
    /// The same while other clients wait for a connection to close.
    private static let fullYouth = TimeAmount.milliseconds(50)
    /// The most doublings of the batch while the limit is reached: they make it half of the connections. The younger
    /// half may yet bring its requests.
    private static let mostDoublings = 4

    /// The number of connections that give way at once. It is more than one, since all are looked at to find the
    /// oldest.
    private let batch: Int
    /// The number of recent sweeps that found the limit reached, less those that did not; at most `mostDoublings`.
    private let fullSweeps = NIOLockedValueBox(0)
    private let bounds: ClientPace.Bounds
    private let open = NIOLockedValueBox<[ObjectIdentifier: Entry]>([:])
    private let gone = NIOLockedValueBox(0)

    /// - Parameter limit: `MAX_CONNECTIONS`.
    init(limit: Int = .max, bounds: ClientPace.Bounds) {
        self.limit = limit
        high = limit - max(limit / 16, 1)
        batch = max(limit / 32, 1)
        self.bounds = bounds
    }

    convenience init(_ settings: Settings) {
        self.init(
            limit: settings.http.maxConnections,
            bounds: .init(
                piece: .milliseconds(settings.http.clientReadTimeout.milliseconds),
                request: .milliseconds(settings.calls.requestTimeout.milliseconds)))
    }

    /// The number of connected clients.
    var count: Int { open.withLockedValue { $0.count } }

    /// Whether all are open that may be.
    var isFull: Bool { count >= limit }

    /// Whether further clients wait in the system's queue, or have just waited there.
    var isPressed: Bool { fullSweeps.withLockedValue { $0 > 0 } }

    func add(_ channel: any Channel) -> Connection {
        let connection = Connection()
        let isNear = open.withLockedValue { open in
            open[ObjectIdentifier(channel)] = Entry(connection: connection, channel: channel)
            return open.count > high
        }
        if isNear { giveWay() }
        return connection
    }

    func remove(_ channel: any Channel) {
        open.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(channel)) }?.connection.close()
    }

    subscript(channel: any Channel) -> Connection? {
        open.withLockedValue { $0[ObjectIdentifier(channel)]?.connection }
    }

    /// Whether a connection's client is too slow with its request.
    func isTooSlow(_ connection: Connection) -> Bool { connection.pace.isTooSlow(at: .now(), bounds) }

    /// Looks at all connections, and tells those whose clients are too slow, and those that have to give way.
    func sweep(at now: NIODeadline = .now()) {
        let slow = open.withLockedValue { open in
            open.values.filter { $0.connection.pace.isTooSlow(at: now, bounds) }.map(\.channel)
        }
        for channel in slow { channel.pipeline.fireUserInboundEventTriggered(TooSlow()) }
        let isFull = isFull
        fullSweeps.withLockedValue { $0 = isFull ? min($0 + 1, Self.mostDoublings) : max($0 - 1, 0) }
        giveWay()
    }

    /// - Returns: how many connections have given way since it was last asked.
    func takeGone() -> Int {
        gone.withLockedValue { gone in
            defer { gone = 0 }
            return gone
        }
    }

    private func giveWay() {
        let now = NIODeadline.now()
        let batch = min(batch << fullSweeps.withLockedValue { $0 }, max(limit / 2, 1))
        let leaving = open.withLockedValue { open in
            let excess = open.count - high
            guard excess > 0 else { return [any Channel]() }
            let oldEnough = now - (open.count >= limit ? Self.fullYouth : Self.youth)
            var idle: [(key: ObjectIdentifier, since: NIODeadline)] = []
            var leaving = 0
            for (key, entry) in open {
                if entry.isLeaving {
                    leaving += 1
                } else if let since = entry.connection.pace.givesWaySince, since <= oldEnough {
                    idle.append((key, since))
                }
            }
            guard leaving < excess else { return [] }
            idle.sort { $0.since < $1.since }
            return idle.prefix(max(excess - leaving, batch)).compactMap { key, _ in
                open[key]?.isLeaving = true
                return open[key]?.channel
            }
        }
        guard !leaving.isEmpty else { return }
        gone.withLockedValue { $0 += leaving.count }
        for channel in leaving { channel.close(promise: nil) }
    }
}

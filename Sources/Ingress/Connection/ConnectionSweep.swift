internal import Common
internal import Logging
internal import ServiceLifecycle

/// Looks after the clients' connections: one loop for all of them, since a timer for each would cost more than they do.
struct ConnectionSweep: NamedService {
    private static let interval = Duration.milliseconds(250)
    /// While all connections are open that may be, other clients wait. So it is looked at more often.
    private static let fullInterval = Duration.milliseconds(25)

    let connections: Connections
    let logger: Logger
    private let log = SparseLog()
    private let fullLog = SparseLog()

    init(connections: Connections, logger: Logger) {
        self.connections = connections
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await repeated {
                connections.sweep()
                let gone = connections.takeGone()
                if gone > 0, let count = log.note(gone) {
                    logger.warning(
                        "connections are near MAX_CONNECTIONS; idle and slow ones were closed",
                        metadata: ["closed": "\(count)", "connections": "\(connections.count)"])
                } else if gone == 0, connections.isFull, fullLog.note(1) != nil {
                    logger.warning(
                        """
                        all connections that may be open (MAX_CONNECTIONS) are in use; further clients, and health \
                        checks on this port, wait until one ends
                        """,
                        metadata: ["connections": "\(connections.count)"])
                }
                return connections.isPressed ? Self.fullInterval : Self.interval
            }
        }
    }
}

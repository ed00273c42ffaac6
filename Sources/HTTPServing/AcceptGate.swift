internal import Common
internal import CoreMetrics
internal import Glibc
internal import HummingbirdCore
package import Logging
internal import NIOConcurrencyHelpers
package import NIOCore
package import Telemetry

/// Says whether a port takes another connection: up to a limit, and not while the process or the machine has no more
/// descriptors or memory for one.
package final class AcceptGate: AvailableConnectionsDelegate {
    /// A port of ours, as metrics and the log name it.
    package enum Port: String, CaseIterable, Sendable { case ingress, tracestore, metrics }

    private struct State {
        var open = 0
        var isResting = false
    }

    package static let failures = MetricDescription(
        "gateway_accept_failures_total", .counter,
        help: "Tries to take a connection that failed for want of file descriptors or memory, by the port. "
            + "The port rests after each for a tenth of a second."
    )

    /// The most connections that are open at once.
    package let limit: Int
    private let port: Port
    private let counter: Counter
    private let log = SparseLog()
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    package init(_ port: Port, limit: Int, registry: MetricsRegistry, logger: Logger) {
        registry.describe([Self.failures])
        self.port = port
        self.limit = limit
        self.logger = logger
        counter = Counter(
            label: Self.failures.name, dimensions: [("port", port.rawValue)], factory: registry)
    }

    /// The number of open connections.
    package var open: Int { state.withLockedValue { $0.open } }

    package func connectionOpened() { state.withLockedValue { $0.open += 1 } }

    package func connectionClosed() { state.withLockedValue { $0.open -= 1 } }

    package func isAcceptingNewConnections() -> Bool { state.withLockedValue { !$0.isResting && $0.open < limit } }

    /// Keeps a server's loop for connections alive when one cannot be taken.
    /// - Parameter server: the channel that listens.
    package func attach(to server: any Channel) async {
        // Before NIO's own handlers, which end the server with the first error that they hear of. Where the channel has
        // been closed meanwhile there is nothing to keep alive.
        try? await server.eventLoop.submit {
            try server.pipeline.syncOperations.addHandler(AcceptFailureHandler(gate: self), position: .first)
        }.get()
    }

    /// A connection could not be taken.
    fileprivate func rest(after error: IOError) {
        state.withLockedValue { $0.isResting = true }
        counter.increment()
        guard let count = log.note() else { return }
        logger.error(
            "cannot take connections; they wait until there is room",
            metadata: [
                "port": "\(port.rawValue)", "error": "\(String(cString: strerror(error.errnoCode)).lowercased())",
                "failures": "\(count)", "connections": "\(open)",
                "remedy": "raise the limit of open files (ulimit -n) or the machine's memory",
            ])
    }

    fileprivate func wake() { state.withLockedValue { $0.isResting = false } }
}

/// Hears what keeps a server from taking a connection, and has the gate rest.
///
/// A try that fails leaves NIO's read pending: the event loop would try again at once, and for ever. So the channel is
/// not read at all while the gate rests.
private final class AcceptFailureHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let rest = TimeAmount.milliseconds(100)

    private let gate: AcceptGate

    init(gate: AcceptGate) { self.gate = gate }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else { return context.fireErrorCaught(error) }
        switch error.errnoCode {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: break
        // The client has gone before it was taken.
        case ECONNABORTED: return
        default: return context.fireErrorCaught(error)
        }
        gate.rest(after: error)
        let (channel, gate) = (context.channel, gate)
        channel.setOption(.autoRead, value: false).whenComplete { _ in }
        context.eventLoop.scheduleTask(in: Self.rest) {
            gate.wake()
            channel.setOption(.autoRead, value: true).whenComplete { _ in }
            channel.read()
        }
    }
}

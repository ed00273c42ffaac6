package import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import JSON
package import Logging
internal import NIOCore
internal import ServiceLifecycle
package import Telemetry

/// A server of `GET /metrics` and `GET /health` on a port of their own (`METRICS_PORT`), without a key.
package struct MetricsServer: NamedService {
    private static let settings = ListeningServer.Settings(host: "METRICS_HOST", port: "METRICS_PORT")
    /// The most bytes of a head: a scraper's request is small.
    private static let maximumHeadBytes = 16 << 10
    private static let idleTimeout = TimeAmount.seconds(75)
    private let host: String
    private let port: Int
    private let connections: Int
    private let gate: AcceptGate
    private let responder: MetricsResponder
    private let onListening: @Sendable (_ port: Int) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - hosts: the names under which it answers, as the operator sets them.
    ///   - connections: the most connections of scrapers.
    ///   - page: what it shows.
    ///   - registry: gets the port's own metrics.
    ///   - onListening: is told the port once connections are accepted.
    package init(
        host: String, port: Int, hosts: AllowedHosts?, connections: Int,
        page: @escaping @Sendable () async -> Exposition, registry: MetricsRegistry, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.onListening = onListening
        self.logger = logger
        self.connections = connections
        gate = AcceptGate(.metrics, limit: connections, registry: registry, logger: logger)
        responder = MetricsResponder(hosts: AllowedHosts(hosts, listeningOn: host, asksForKeys: false), page: page)
    }

    package func run() async throws {
        let idle = IdleConnections(limit: connections)
        let application = Application(
            responder: responder,
            server: .serving(
                .init(
                    additionalChannelHandlers: [idle.handler()],
                    idleTimeout: Self.idleTimeout,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: Self.maximumHeadBytes, maxHeaderListSize: Self.maximumHeadBytes))),
            configuration: .init(
                address: .hostname(host, port: port), backlog: 128, availableConnectionsDelegate: gate),
            onServerRunning: { [port, gate, onListening] channel in
                await gate.attach(to: channel)
                await onListening(channel.localAddress?.port ?? port)
            },
            logger: logger)
        try await ListeningServer(application, host: host, port: port, settings: Self.settings).run()
    }
}

private struct MetricsResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let hosts: AllowedHosts
    let page: @Sendable () async -> Exposition

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard hosts.allows(request.head.authority) else {
            return text(.forbidden, "The request's Host is not a name of this process. Add it to ALLOWED_HOSTS.\n")
        }
        guard request.method == .get || request.method == .head else {
            var response = text(.methodNotAllowed, "Only GET is answered here.\n")
            response.headers[.allow] = "GET"
            return response
        }
        var response: Response
        switch request.uri.path {
        case "/metrics":
            response = text(.ok, "")
            response.headers[.contentType] = Exposition.contentType
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: await page().bytes))
        case "/health":
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("status", "healthy")
                writer.member("version", GatewayVersion.current)
            }
            response = text(.ok, "")
            response.headers[.contentType] = "application/json"
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        default: response = text(.notFound, "Here are /metrics and /health alone.\n")
        }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

internal import ArgumentParser
internal import Common
internal import RequestLogServing
internal import TraceStore

struct TraceStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracestore",
        abstract: "Runs the embedded trace store alone: Langfuse's API over one SQLite file.",
        discussion: """
            Any Langfuse SDK and any OTLP exporter can write to it. Each project of the secrets file has its keys there; for a project without keys they follow \
            from the gateway's key. The keys of the default project are written to DATA_DIR/langfuse.env, for `source`.

            With REDIS_HOST and GATEWAY_KEY it keeps the request log too, and answers the ingress's questions about it.
            """)

    func run() async throws {
        let bootstrap = try Bootstrap(role: .tracestore)
        let settings = bootstrap.configuration.settings
        let folder = try DataDirectory(settings.process.dataDirectory)
        let key = try settings.secrets.gatewayKey ?? folder.key()
        let store = try bootstrap.traceStore(in: folder, key: key) { port in
            let log = settings.keepsRequestLog ? ", which keeps the request log," : ""
            bootstrap.announce(
                "metadata-gateway tracestore\(log) listens on http://\(settings.traceStore.host.bracketed):\(port)")
        }
        var services = store.services
        if settings.keepsRequestLog {
            let log = try bootstrap.requestLog(
                in: store.requests, auditing: store.audits, of: bootstrap.destinations(key: key),
                redis: try bootstrap.redis(),
                envelope: Envelope(key: key))
            services += log.services
        }
        try await bootstrap.run(services)
    }
}

internal import ArgumentParser
internal import Common
internal import Forwarder
internal import Ingress
internal import RequestLogServing
internal import ServiceLifecycle
internal import TraceStore
internal import Verifier

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the whole gateway in one process, with a Redis of its own unless REDIS_HOST names one.",
        discussion: "Needs no configuration. What it keeps is in DATA_DIR (default ./data).")

    func run() async throws {
        let bootstrap = try Bootstrap(role: .serve)
        let settings = bootstrap.configuration.settings
        let folder = try DataDirectory(settings.process.dataDirectory)
        var embedded: EmbeddedRedis?
        if settings.redis.address == nil {
            embedded = try EmbeddedRedis(
                program: settings.redis.serverPath, folder: folder, commandTimeout: settings.redis.commandTimeout,
                logger: bootstrap.logger)
        }
        let endpoint = try embedded?.endpoint ?? bootstrap.redis()
        let key = try settings.secrets.gatewayKey ?? folder.key()
        let envelope = Envelope(key: key)
        let destinations = bootstrap.destinations(key: key)
        let watch = RedisWatch(
            endpoint, envelope: envelope, settings: settings, isAlone: embedded != nil,
            logger: bootstrap.logger)
        var services: [any Service] = [watch]
        let forwarder = try bootstrap.forwarder(
            redis: endpoint, envelope: envelope, destinations: destinations, watch: watch)
        services += forwarder.services
        services += try bootstrap.verifier(
            redis: endpoint, envelope: envelope, destinations: destinations, watch: watch
        )
        .services
        let ready = StartupBanner(bootstrap: bootstrap, endpoint: endpoint)
        var store: TraceStoreService?
        if settings.backends.langfuse == .embedded || settings.keepsRequestLog {
            let new = try bootstrap.traceStore(
                in: folder, key: key, takesTraces: settings.backends.langfuse == .embedded
            ) {
                port in
                ready.traceStoreListens(onPort: port)
                destinations.listens(onPort: port, host: settings.traceStore.host)
            }
            if settings.backends.langfuse == .embedded { destinations.keep(in: new.spans) }
            if settings.keepsRequestLog {
                let log = try bootstrap.requestLog(
                    in: new.requests, auditing: new.audits, of: destinations, redis: endpoint, envelope: envelope,
                    watch: watch)
                services += log.services
            }
            store = new
        }
        let ingress = try bootstrap.ingress(
            redis: endpoint, envelope: envelope, watch: watch, local: forwarder.local,
            lendsKeys: forwarder.lendsKeys,
            storeTrouble: { [store] in store?.trouble },
            onListening: ready.announce)
        services += ingress.services
        services.append(ready)
        // First what the others need; so a start has no failed attempts in its log.
        var first = store?.services ?? []
        if let embedded {
            first.append(embedded)
            services = services.map { LatchedService(latch: embedded.ready, service: $0) }
        }
        try await bootstrap.run(first + services, metrics: ingress.metrics)
    }
}

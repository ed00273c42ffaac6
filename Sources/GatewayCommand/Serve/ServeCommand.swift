internal import ArgumentParser
internal import Common
internal import Forwarder
internal import Ingress
internal import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the whole gateway in one process, with a Redis of its own unless REDIS_HOST names one.",
        discussion: "Needs no configuration. What it keeps is in DATA_DIR (default ./data).")

    func run() async throws {
        let launch = try Launch(role: .serve)
        let settings = launch.configuration.settings
        let folder = try DataDirectory(settings.dataDirectory)
        var embedded: EmbeddedRedis?
        if settings.redis.address == nil {
            embedded = try EmbeddedRedis(
                program: settings.redisServerPath, folder: folder, commandTimeout: settings.redis.commandTimeout, logger: launch.logger)
        }
        let endpoint = try embedded?.endpoint ?? launch.redis()
        let key = try settings.gatewayKey ?? folder.key()
        let envelope = Envelope(key: key)
        var services = try launch.forwarder(redis: endpoint, envelope: envelope, destinations: launch.destinations(key: key)).services
        let ready = Readiness(launch: launch, endpoint: endpoint)
        services += try launch.ingress(redis: endpoint, envelope: envelope, onListening: ready.announce).services
        services.append(ready)
        guard let embedded else { return try await launch.run(services) }
        // First the server, then what needs it; so a start has no failed attempts in its log.
        try await launch.run([embedded] + services.map { StartsBehind(gate: embedded.ready, service: $0) })
    }
}

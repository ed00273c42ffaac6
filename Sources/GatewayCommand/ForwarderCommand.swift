internal import ArgumentParser
internal import Common
internal import Forwarder

struct ForwarderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forwarder",
        abstract: "Takes jobs off the queue, calls the providers and sends the answers back. Run as many as you like.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let bootstrap = try Bootstrap(role: .forwarder)
        let key = try bootstrap.key()
        let forwarder = try bootstrap.forwarder(
            redis: try bootstrap.redis(), envelope: Envelope(key: key), destinations: bootstrap.destinations(key: key))
        bootstrap.announce(
            "metadata-gateway forwarder takes up to \(bootstrap.configuration.settings.queue.forwarderConcurrency) calls at a time."
        )
        try await bootstrap.run(forwarder.services)
    }
}

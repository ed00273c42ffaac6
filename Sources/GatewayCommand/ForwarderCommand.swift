internal import ArgumentParser
internal import Common
internal import Forwarder

struct ForwarderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forwarder",
        abstract: "Takes jobs off the queue, calls the providers and sends the answers back. Run as many as you like.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let launch = try Launch(role: .forwarder)
        let key = try launch.key()
        let forwarder = try launch.forwarder(
            redis: try launch.redis(), envelope: Envelope(key: key), destinations: launch.destinations(key: key))
        launch.announce(
            "metadata-gateway forwarder takes up to \(launch.configuration.settings.forwarderConcurrency) calls at a time."
        )
        try await launch.run(forwarder.services)
    }
}

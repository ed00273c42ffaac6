internal import ArgumentParser
internal import Common
internal import Verifier

struct VerifierCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verifier",
        abstract: "Finds out which rollouts are complete, and fetches traces. Run as many as you like.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let bootstrap = try Bootstrap(role: .verifier)
        let key = try bootstrap.key()
        let verifier = try bootstrap.verifier(
            redis: try bootstrap.redis(), envelope: Envelope(key: key), destinations: bootstrap.destinations(key: key))
        bootstrap.announce(
            "metadata-gateway verifier checks up to \(bootstrap.configuration.settings.traces.verifierConcurrency) rollouts at a time."
        )
        try await bootstrap.run(verifier.services)
    }
}

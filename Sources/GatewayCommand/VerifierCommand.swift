internal import ArgumentParser
internal import Common
internal import Verifier

struct VerifierCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verifier",
        abstract: "Finds out which rollouts are complete, and fetches traces. Run as many as you like.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let launch = try Launch(role: .verifier)
        let key = try launch.key()
        let verifier = try launch.verifier(
            redis: try launch.redis(), envelope: Envelope(key: key), destinations: launch.destinations(key: key))
        launch.announce(
            "metadata-gateway verifier answers up to \(launch.configuration.settings.verifierConcurrency) questions at a time."
        )
        try await launch.run(verifier.services)
    }
}

internal import ArgumentParser
internal import Common
internal import Ingress

struct IngressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingress",
        abstract: "Runs the HTTP face: takes requests, queues their jobs, waits for the answers.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let launch = try Launch(role: .ingress)
        let ingress = try launch.ingress(redis: try launch.redis(), envelope: Envelope(key: try launch.key()))
        try await launch.run(ingress.services, metrics: ingress.metrics)
    }
}

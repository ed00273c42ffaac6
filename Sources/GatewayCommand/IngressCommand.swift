internal import ArgumentParser
internal import Common
internal import Ingress

struct IngressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingress",
        abstract: "Runs the HTTP face: takes requests, queues their jobs, waits for the answers.",
        discussion: "Needs REDIS_HOST and GATEWAY_KEY.")

    func run() async throws {
        let bootstrap = try Bootstrap(role: .ingress)
        let ingress = try bootstrap.ingress(redis: try bootstrap.redis(), envelope: Envelope(key: try bootstrap.key()))
        try await bootstrap.run(ingress.services, metrics: ingress.metrics)
    }
}

import Testing

@testable import Common

/// Kubernetes sets `X_PORT=tcp://…` for each service of a namespace, under names that are the gateway's by chance.
@Suite struct ServiceLinkTests {
    private static let link = "tcp://10.96.0.1:6379"

    private func read(_ role: Role, _ environment: [String: String]) -> [ConfigurationProblem] {
        var log = ProblemLog()
        _ = Settings.read(over: Settings(role: role), environment: environment, &log)
        return log.problems
    }

    @Test(arguments: [
        (Role.forwarder, "TRACESTORE_PORT", SettingsTests.required), (.verifier, "PORT", SettingsTests.required),
        (.verifier, "TRACESTORE_PORT", SettingsTests.required), (.serve, "REDIS_PORT", [:]),
        (.tracestore, "REDIS_PORT", [:]), (.serve, "TRACESTORE_PORT", ["LANGFUSE_HOST": "https://langfuse.example"]),
        (.forwarder, "REDIS_PORT", SettingsTests.required.merging(["REDIS_HOST": "unix:/run/redis.sock"]) { $1 }),
    ])
    func `without use for it it is a note`(role: Role, name: String, environment: [String: String]) throws {
        for value in [Self.link, "udp://[fd00::1]:53"] where name.hasSuffix("_PORT") {
            let problems = read(role, environment.merging([name: value]) { $1 })
            try #require(problems.count == 1, "\(problems)")
            let problem = problems[0]
            #expect(problem.description.hasPrefix("environment: \(name): warning: `\(value)`"), "\(problem)")
            #expect(problem.message.contains("ignored"))
        }
        // What is not a link is a mistake all the same: one environment can serve all commands.
        let wrong = read(role, environment.merging([name: "x"]) { $1 })
        #expect(wrong.map(\.description).contains { $0.hasPrefix("environment: \(name): error: `x` must be") })
    }

    @Test(arguments: [
        (Role.ingress, "REDIS_PORT", "redis"), (.serve, "TRACESTORE_PORT", "tracestore"),
        (.verifier, "METRICS_PORT", "metrics"),
    ])
    func `where it is used the error says who set it`(role: Role, name: String, service: String) {
        let problems = read(role, SettingsTests.required.merging([name: Self.link]) { $1 })
        let text = problems.map(\.description).joined(separator: "\n")
        #expect(text.contains("\(name): error: `\(Self.link)` must be a whole number"), "\(text)")
        #expect(text.contains("a service named `\(service)`: set \(name)"), "\(text)")
    }
}

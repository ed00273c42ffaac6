internal import ArgumentParser
internal import Common
internal import FoundationEssentials

struct RolloutsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollouts", abstract: "Lists a project's rollouts, the one with the latest completion first.")

    private struct Answer: Decodable {
        struct Rollout: Decodable {
            var rolloutId: String
            var lastCompletionAt: String
            var expected: Int
            var failed: Int
            var verdict: String?
        }
        var rollouts: [Rollout]
    }

    @OptionGroup var gateway: GatewayAddress

    @Option(help: "Only rollouts with this tag, such as run_id:nightly; repeat it to narrow further.")
    var tag: [String] = []

    @Option(help: "The most rollouts to list.")
    var limit = 100

    @Flag(help: "Print the gateway's JSON.")
    var json = false

    func run() async throws {
        let terminal = Terminal(isQuiet: false)
        do {
            try await GatewayClient.run(gateway) { client in
                let query = ["limit=\(limit)"] + tag.map { "tag=\(PercentEncoding.segment($0))" }
                let data = try await client.get("/rollouts?" + query.joined(separator: "&"), within: .seconds(60))
                guard !json else { return terminal.say(String(decoding: data, as: UTF8.self)) }
                let decoder = JSONDecoder()
                decoder.keyDecodingStrategy = .convertFromSnakeCase
                let rollouts = try decoder.decode(Answer.self, from: data).rollouts
                let width = max(rollouts.map(\.rolloutId.count).max() ?? 0, "ROLLOUT".count)
                terminal.say(
                    Self.row(
                        "ROLLOUT", expected: "EXPECTED", failed: "FAILED", verdict: "VERDICT", last: "LAST COMPLETION",
                        width: width))
                for rollout in rollouts {
                    terminal.say(
                        Self.row(
                            rollout.rolloutId, expected: "\(rollout.expected)", failed: "\(rollout.failed)",
                            verdict: rollout.verdict ?? "-",
                            last: rollout.lastCompletionAt, width: width)
                    )
                }
            }
        } catch let failure as GatewayClient.Failure {
            terminal.fail(failure.description)
            throw ExitCode(2)
        }
    }

    private static func row(
        _ name: String, expected: String, failed: String, verdict: String, last: String, width: Int
    ) -> String {
        func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(width - text.count, 0))
        }
        return "\(pad(name, width))  \(pad(expected, 8))  \(pad(failed, 6))  \(pad(verdict, 10))  \(last)"
    }
}

internal import ArgumentParser
internal import Common
internal import FoundationEssentials
internal import Glibc

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Waits until every completion of a rollout is traced.",
        discussion: """
            Exits with 0 if the rollout is complete, with 1 if it is not when the time is over, with 2 if nothing can be told: no such rollout, no such gateway, \
            or no trace store. GATEWAY_API_KEY holds the key of a gateway that asks for one.
            """)

    static let incomplete = ExitCode(1)
    static let cannotTell = ExitCode(2)
    /// So long one question waits for its answer.
    private static let look = Duration.seconds(2)
    /// Between two questions that were answered at once.
    private static let pause = Duration.seconds(1)

    @Argument(help: "The rollout_id.")
    var rollout: String

    @OptionGroup var gateway: GatewayAddress

    @Option(help: "How long to wait: 90, 90s, 10m, 2h.")
    var timeout = TimeSpan(.seconds(600))

    @Flag(help: "Print the verdict as JSON, and nothing else.")
    var json = false

    func run() async throws {
        try await GatewayClient.run(gateway) { try await wait(asking: $0) }
    }

    private func wait(asking client: GatewayClient) async throws {
        let began = ContinuousClock.now
        let terminal = Terminal(isQuiet: json)
        var progress = WaitProgress()
        var last: Result<(VerdictResponse, Data), GatewayClient.Failure> = .failure(
            .init(description: "there was no time to ask"))
        while true {
            let remaining = timeout.duration - began.duration(to: .now)
            let asked = ContinuousClock.now
            do throws(GatewayClient.Failure) {
                let data = try await client.get(
                    path(within: max(min(remaining, Self.look), .zero)), within: Self.look + .seconds(30))
                let verdict = try Self.decode(data)
                if verdict.kind == .complete { return end(verdict, data: data, on: terminal) }
                terminal.show(progress.line(verdict, at: began.duration(to: .now), columns: terminal.columns))
                last = .success((verdict, data))
            } catch {
                let failure = error
                // A rollout is known from its first completion on, which may yet come.
                guard failure.mayPass || failure.code == "rollout_not_found" else {
                    terminal.fail(failure.description)
                    throw Self.cannotTell
                }
                terminal.show("waiting: \(failure.description.escapedForTerminal)")
                last = .failure(failure)
            }
            guard timeout.duration - began.duration(to: .now) > .zero else { break }
            try await Task.sleep(for: max(.zero, min(Self.pause, timeout.duration) - asked.duration(to: .now)))
        }
        switch last {
        case .failure(let failure):
            terminal.fail(failure.description)
            throw Self.cannotTell
        case .success((let verdict, let data)):
            end(verdict, data: data, on: terminal)
            throw verdict.kind == .incomplete ? Self.incomplete : Self.cannotTell
        }
    }

    private func path(within wait: Duration) -> String {
        "/rollouts/\(PercentEncoding.segment(rollout))?wait=\(wait.components.seconds)"
    }

    private static func decode(_ data: Data) throws(GatewayClient.Failure) -> VerdictResponse {
        do {
            return try JSONDecoder().decode(VerdictResponse.self, from: data)
        } catch {
            throw GatewayClient.Failure(
                status: 200,
                description:
                    "the answer is not a verdict; check the URL, and that gateway and command are of one version")
        }
    }

    private func end(_ verdict: VerdictResponse, data: Data, on terminal: Terminal) {
        terminal.say(json ? String(decoding: data, as: UTF8.self) : "\(rollout) is \(verdict.summary)")
        guard !json else { return }
        for id in verdict.missing.prefix(10) { terminal.say("  missing \(id)") }
        if verdict.missingCount > 10 { terminal.say("  … \(verdict.missingCount - 10) more") }
    }
}

internal import ArgumentParser
internal import Common
internal import Glibc
internal import NIOConcurrencyHelpers
internal import UnixSignals

struct TracesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traces", abstract: "Writes the traces of a complete rollout to a file, a line of JSON each.",
        discussion: """
            Exits with 0 if all traces are in the file, with 1 if the rollout is not complete or has no traces, with 2 \
            if nothing can be told: no such rollout, completions that were lost, or no answer; with 64 if the file \
            cannot be written.
            """)

    /// A day: a hundred thousand traces behind a rate limit.
    private static let patience = Duration.seconds(86_400)

    /// The gateway's words for a rollout that is known, and has not all of its traces to give.
    private static let notComplete: Set<UTF8Text> = ["rollout_incomplete", "rollout_without_traces"]

    @Argument(help: "The rollout_id.")
    var rollout: String

    @OptionGroup var gateway: GatewayAddress

    @Option(help: "The file to write (JSON Lines); `-` is standard output. A file appears when all traces are in it.")
    var out: String

    @Option(help: "The most traces to write; the newest.")
    var limit = 1_000_000

    func run() async throws {
        // Closed pipes are said, not died of.
        signal(SIGPIPE, SIG_IGN)
        let terminal = Terminal(isQuiet: false)
        do {
            let count = try await unlessInterrupted {
                try await GatewayClient.run(gateway) { try await write(asking: $0) }
            }
            if out != "-" { terminal.say("\(count) traces of \(rollout) are in \(out)") }
        } catch let failure as GatewayClient.Failure {
            terminal.fail(failure.description)
            throw Self.notComplete.contains(failure.code ?? "") ? WaitCommand.incomplete : WaitCommand.cannotTell
        } catch let failure as OutputFile.Failure {
            throw ValidationError(failure.description)
        }
    }

    /// Runs `body`, and ends it in order at a signal: it has a file to remove.
    private func unlessInterrupted(_ body: @escaping @Sendable () async throws -> Int) async throws -> Int {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await body() }
            group.addTask {
                for await signal in signals { throw ExitCode(128 + signal.rawValue) }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? 0
        }
    }

    /// - Returns: how many traces were written.
    private func write(asking client: GatewayClient) async throws -> Int {
        let file = try OutputFile(out)
        let splitter = NIOLockedValueBox(ElementSplitter(member: "traces"))
        do {
            try await client.get(
                "/traces?tags=rollout_id:\(PercentEncoding.segment(rollout))&limit=\(limit)", within: Self.patience
            ) { piece in
                let lines = splitter.withLockedValue { $0.take(piece) }
                if !lines.isEmpty { try file.write(lines) }
            }
            let (count, isWhole) = splitter.withLockedValue { ($0.count, $0.isAtEnd) }
            guard isWhole else {
                throw GatewayClient.Failure(
                    description: "the answer broke off after \(count) traces; \(out) is as it was")
            }
        } catch {
            file.discard()
            throw error
        }
        try file.keep()
        return splitter.withLockedValue { $0.count }
    }
}

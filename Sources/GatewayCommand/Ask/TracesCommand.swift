internal import ArgumentParser
internal import Common
internal import Glibc
internal import NIOConcurrencyHelpers
internal import SystemPackage

struct TracesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traces", abstract: "Writes the traces of a complete rollout to a file, a line of JSON each.",
        discussion: """
            Exits with 0 if all traces are in the file, with 1 if the rollout is not complete, has no traces or is not known, with 2 if there is no answer, \
            with 64 if the file cannot be written.
            """)

    /// A day: a hundred thousand traces behind a rate limit.
    private static let patience = Duration.seconds(86_400)

    @Argument(help: "The rollout_id.")
    var rollout: String

    @OptionGroup var gateway: GatewayAddress

    @Option(help: "The file to write (JSON Lines). It appears when all traces are in it.")
    var out: String

    @Option(help: "The most traces to write; the newest.")
    var limit = 1_000_000

    func run() async throws {
        let terminal = Terminal(isQuiet: false)
        do {
            let count = try await GatewayClient.run(gateway) { try await write(asking: $0) }
            terminal.say("\(count) traces of \(rollout) are in \(out)")
        } catch let failure as GatewayClient.Failure {
            terminal.fail(failure.description)
            throw ExitCode(failure.code?.hasPrefix("rollout_") ?? false ? 1 : 2)
        }
    }

    /// - Returns: how many traces were written.
    private func write(asking client: GatewayClient) async throws -> Int {
        let unfinished = FilePath(out + ".part")
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(
                unfinished, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch { throw ValidationError("\(out): cannot be written: \(error)") }
        let splitter = NIOLockedValueBox(ElementSplitter(member: "traces"))
        do {
            try await client.get(
                "/traces?tags=rollout_id:\(PercentEncoding.segment(rollout))&limit=\(limit)", within: Self.patience
            ) { piece in
                let lines = splitter.withLockedValue { $0.take(piece) }
                if !lines.isEmpty { try file.writeAll(lines) }
            }
            try file.close()
        } catch {
            try? file.close()
            // What was refused left nothing worth keeping.
            if splitter.withLockedValue({ $0.count }) == 0 { unlink(unfinished.string) }
            throw error
        }
        let (count, isWhole) = splitter.withLockedValue { ($0.count, $0.isAtEnd) }
        guard isWhole else { throw GatewayClient.Failure(description: "the answer broke off after \(count) traces; what came is in \(unfinished)") }
        guard rename(unfinished.string, out) == 0 else { throw ValidationError("\(out): cannot be written") }
        return count
    }
}

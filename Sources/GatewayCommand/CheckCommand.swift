internal import ArgumentParser
internal import Common
internal import Ingress

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reads the whole configuration and says what is wrong with it, each with its place.",
        discussion: """
            Exits with 0 if a process could start with it, with 78 if not. Warnings change nothing of that.

            `--explain FILE` prints what the rules of CONFIG_PATH decide of the request that the file describes, and \
            why, with what the counters in Redis hold; exits with 65 if the file is wrong. docs/policies.md shows one.
            """)

    /// EX_DATAERR of sysexits.h: what is to be explained was described wrong.
    private static let badDescription = ExitCode(65)

    @Option(help: "The part whose configuration is read: \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    var role: Role = .serve

    @Option(
        help: ArgumentHelp(
            "A JSON file that describes a request, of which the rules are explained.", valueName: "file"))
    var explain: String?

    func validate() throws {
        guard explain != nil, role != .serve, role != .ingress else { return }
        throw ValidationError("`\(role.rawValue)` reads no rules; explain those of `serve` or `ingress`")
    }

    func run() async throws {
        let bootstrap = try Bootstrap(role: role)
        _ = try bootstrap.prices()
        guard let explain else { return bootstrap.announce("The configuration of `\(role.rawValue)` is good.") }
        let file = try Bootstrap.reporting { () throws(ConfigurationError) in try ConfigurationFile(reading: explain) }
        let text: [UInt8]
        do {
            text = try await bootstrap.explanation(of: file.bytes)
        } catch {
            Bootstrap.complain("\(explain): error: \(error.message)")
            throw Self.badDescription
        }
        bootstrap.announce(String(decoding: text, as: UTF8.self))
    }
}

extension Role: ExpressibleByArgument {}

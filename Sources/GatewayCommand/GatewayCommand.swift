internal import ArgumentParser
internal import Common
public import Ingress

/// The command line of the gateway. An operator's custom build calls `main(extensions:)` with what it adds.
public enum GatewayCommand {
    /// Runs the command that the process's arguments name, and ends the process with its exit code if it fails.
    public static func main(extensions: Extensions) async {
        Allocator.bound()
        await BuildExtensions.$current.withValue(extensions) { await RootCommand.runNamed() }
    }
}

struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metadata-gateway",
        abstract: "Makes LLM calls through a durable queue, each recorded under the identity in its URL.",
        discussion: """
            `metadata-gateway serve` runs all of it in one process, with a Redis of its own: no configuration is needed. \
            `ingress`, `forwarder` and `verifier` run one part each, against a Redis of yours; `tracestore` runs the \
            trace store, and keeps the request log if it is told of the Redis.

            Settings come from the environment; `metadata-gateway check` reads them all and says what is wrong. \
            docs/configuration.md lists them.
            """,
        version: GatewayVersion.current,
        subcommands: [
            ServeCommand.self, IngressCommand.self, ForwarderCommand.self, VerifierCommand.self, TraceStoreCommand.self,
            CheckCommand.self,
            WaitCommand.self,
            RolloutsCommand.self, TracesCommand.self, LogsCommand.self,
        ])
}

extension RootCommand {
    /// Runs the command that the process's arguments name, and ends the process with its exit code if it fails. A
    /// mistake in the arguments that shows as the command runs is told with the usage of that command.
    fileprivate static func runNamed() async {
        do {
            var command = try await asyncParseAsRoot()
            do {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            } catch let error as ValidationError {
                let type = type(of: command)
                let name = [configuration.commandName, type.configuration.commandName].compactMap { $0 }
                Bootstrap.complain(
                    """
                    Error: \(error.message)
                    Usage: \(usageString(for: type))
                      See '\(name.joined(separator: " ")) --help' for more information.
                    """)
                throw ExitCode.validationFailure
            }
        } catch {
            exit(withError: error)
        }
    }
}

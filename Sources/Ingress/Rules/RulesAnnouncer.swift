internal import Common
internal import Logging
internal import Policies
internal import Queue
internal import Redis
internal import ServiceLifecycle

/// Tells the other processes which rules are in force here, each 5 s and after each change, so that `/ready` sees when
/// they differ.
struct RulesAnnouncer: NamedService {
    /// The interval at which the rules are checked for changes.
    private static let look = Duration.seconds(1)

    let file: RulesFile
    let fleet: RulesFleet
    let logger: Logger
    /// Such that an operator finds the process by it, with some digits, since containers may share the rest.
    let name = "\(ProcessName.shown)/\(ProcessName.random().prefix(4))"

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var announced: (hash: String, time: ContinuousClock.Instant)?
            await repeated {
                let hash = file.current.hash
                let isKnown = announced.map { $0.hash == hash && $0.time.duration(to: .now) < RulesFleet.beat } ?? false
                if !isKnown {
                    do {
                        try await fleet.announce(hash, of: name)
                        announced = (hash, .now)
                    } catch {
                        // Told again at the next look.
                        logger.debug("rules not announced", metadata: ["error": "\(error)"])
                    }
                }
                return announced == nil ? .milliseconds(200) : Self.look
            }
        }
        // The others need not wait for it to be forgotten.
        try? await fleet.leave(name)
    }
}

package import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// The secrets of a running process. A change of their file is taken over without a restart, whole or not at all.
package final class SecretsFile: Sendable {
    /// Checks what a user of the secrets will do with new ones, and changes nothing.
    /// - Returns: a closure that makes the change; it cannot fail.
    /// - Throws: the reason why these secrets cannot be used.
    package typealias Preparation = @Sendable (Secrets) throws(ConfigurationError) -> @Sendable () -> Void

    private struct State {
        var current: Secrets
        var changes: FileChanges
        var preparations: [Preparation] = []
        /// For the audit log.
        var contents: FileContents
        var watchers: [FileReading.Take] = []
    }

    package let path: String
    private let isRequired: Bool
    private let load: @Sendable () throws(ConfigurationError) -> Secrets
    private let state: NIOLockedValueBox<State>

    /// - Parameter configuration: as it was just read.
    package init(_ configuration: Configuration, environment: [String: String]) {
        let settings = configuration.settings
        path = settings.secrets.path
        isRequired = settings.secrets.isFileRequired
        load = { () throws(ConfigurationError) in
            try Secrets(path: settings.secrets.path, environment: environment, role: settings.role)
        }
        let changes = FileChanges(read: [FileStamp(of: settings.secrets.path)])
        state = NIOLockedValueBox(
            State(
                current: configuration.secrets, changes: changes,
                contents: FileContents(ofSecretsAt: settings.secrets.path)))
    }

    package var current: Secrets { state.withLockedValue { $0.current } }

    /// Has each later change go through `prepare`. Only when all that were given here agree is any of them carried out.
    package func onChange(_ prepare: @escaping Preparation) {
        state.withLockedValue { $0.preparations.append(prepare) }
    }

    /// Tells `take` what becomes of each later reading that changes something, or cannot.
    package func onReading(_ take: @escaping FileReading.Take) { state.withLockedValue { $0.watchers.append(take) } }

    private func tell(_ reading: FileReading) {
        for take in state.withLockedValue({ $0.watchers }) { take(reading) }
    }

    /// Takes the file over if it is another one than before and has rested since the last look: one that is being
    /// written is not read halfway.
    package func refresh(logger: Logger) {
        let found = FileStamp(of: path)
        let isDue = state.withLockedValue { $0.changes.look([found]) }
        // Where no file is needed, one that was never there is not missed.
        guard isDue, found != nil || isRequired || current != .none else { return }
        do throws(ConfigurationError) {
            try takeOver(logger: logger)
        } catch {
            tell(.refused(at: path, because: error, inForce: state.withLockedValue { $0.contents }))
            for problem in error.problems { logger.error("the secrets stay as they were: \(problem)") }
        }
    }

    private func takeOver(logger: Logger) throws(ConfigurationError) {
        let secrets = try load()
        let (before, preparations) = state.withLockedValue { ($0.current, $0.preparations) }
        guard secrets != before else { return }
        guard secrets.defaultProject == before.defaultProject else {
            throw ConfigurationError(
                at: .file(path),
                "default_project_id cannot change from `\(before.defaultProject)` to `\(secrets.defaultProject)` while the gateway runs: the keys in Redis "
                    + "of that project's rollouts depend on it. Restart all its parts, or take the change back")
        }
        var commits: [@Sendable () -> Void] = []
        for prepare in preparations { commits.append(try prepare(secrets)) }
        for commit in commits { commit() }
        let contents = FileContents(ofSecretsAt: path)
        let former = state.withLockedValue { state in
            defer { (state.current, state.contents) = (secrets, contents) }
            return state.contents
        }
        tell(.taken(from: former, to: contents))
        for warning in secrets.warnings { logger.warning("\(warning)") }
        logger.notice(
            "read the secrets again",
            metadata: ["projects": "\(secrets.projects.count)", "accounts": "\(secrets.accounts.count)"])
    }
}

/// Looks each second whether the file of the secrets is another one.
package struct SecretsUpkeep: NamedService {
    private static let interval = Duration.seconds(1)

    let file: SecretsFile
    let logger: Logger

    package init(file: SecretsFile, logger: Logger) {
        self.file = file
        self.logger = logger
    }

    package func run() async throws {
        // Not on a loop that answers requests: reading a file waits for a disk.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await cancelWhenGracefulShutdown {
                await every(Self.interval) { file.refresh(logger: logger) }
            }
        }
    }
}

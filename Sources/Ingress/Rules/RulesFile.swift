package import Common
package import Logging
internal import NIOConcurrencyHelpers
package import Policies

/// The operator's rules of a running process. A change of their files is taken over without a restart, whole or not at
/// all.
package final class RulesFile: Sendable {
    /// Reads and checks the rules.
    package typealias Load = @Sendable () throws(ConfigurationError) -> Policies

    private struct State {
        var current: Policies
        var changes: FileChanges
        var takers: [@Sendable (Policies) -> Void] = []
        var watchers: [FileReading.Take] = []
    }

    /// Nil: there are no files, and nothing is read again.
    let path: String?
    private let load: Load
    /// Held while the files are read, so that an older reading never takes a newer one's place.
    private let reading = NIOLock()
    private let state: NIOLockedValueBox<State>

    /// - Parameters:
    ///   - policies: as they were just read.
    ///   - path: the file, or the folder of files.
    ///   - stamps: those of the path from before the reading; nil: nothing has changed since.
    package init(
        _ policies: Policies, path: String? = nil, stamps: [FileStamp?]? = nil,
        load: @escaping Load = { () throws(ConfigurationError) in .none }
    ) {
        self.path = path
        self.load = load
        let stamps = stamps ?? path.map(ConfigurationFile.stamps) ?? []
        state = NIOLockedValueBox(State(current: policies, changes: FileChanges(read: stamps)))
    }

    /// Whether there is anything to read again.
    var hasFiles: Bool { path != nil }

    package var current: Policies { state.withLockedValue { $0.current } }

    /// Gives each later reading to `take`.
    package func onChange(_ take: @escaping @Sendable (Policies) -> Void) {
        state.withLockedValue { $0.takers.append(take) }
    }

    /// Tells `take` what becomes of each later reading.
    func onReading(_ take: @escaping FileReading.Take) { state.withLockedValue { $0.watchers.append(take) } }

    /// Reads the files again if they have changed and have rested since the last look: one that is being written is not
    /// read halfway.
    /// - Parameter isAsked: whether they are read in any case.
    package func refresh(isAsked: Bool = false, logger: Logger) {
        guard let path else { return }
        reading.lock()
        defer { reading.unlock() }
        let found = ConfigurationFile.stamps(of: path)
        guard state.withLockedValue({ $0.changes.look(found, isAsked: isAsked) }) else { return }
        do throws(ConfigurationError) {
            let policies = try load()
            let (before, takers) = state.withLockedValue { state in
                defer { state.current = policies }
                return (state.current, state.takers)
            }
            for take in takers { take(policies) }
            tell(.taken(from: before.contents, to: policies.contents))
            logger.notice("read the rules of CONFIG_PATH again")
        } catch {
            tell(.refused(at: path, because: error, inForce: current.contents))
            for problem in error.problems { logger.error("the rules stay as they were: \(problem)") }
        }
    }

    private func tell(_ reading: FileReading) {
        for take in state.withLockedValue({ $0.watchers }) { take(reading) }
    }
}

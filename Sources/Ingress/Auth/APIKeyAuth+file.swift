package import Common
public import Logging

extension APIKeyAuth {
    /// The interval at which the file is checked for changes.
    static let lookInterval = Duration.seconds(1)

    /// Reads the keys' file.
    /// - Parameter projects: the projects that there are; a key for another one is a mistake that is reported. Nil: not
    ///   known.
    /// - Throws: all problems, each with line and column.
    package init(file path: String, projects: @escaping @Sendable () -> Set<UTF8Text>?) throws(ConfigurationError) {
        let file = APIKeysFile(path: path, projects: projects)
        let keys = try file.keys()
        self.init(entries: keys.entries, contents: keys.contents, file: file)
    }

    /// Checks each second whether the file has changed, and then reads it.
    public func maintain(logger: Logger) async {
        guard file != nil else { return }
        // Not on a loop that answers requests: what reads a file waits for a disk.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await every(Self.lookInterval) { refresh(logger: logger) }
        }
    }

    /// Takes over the keys that the file holds now. An unusable file changes nothing: a typo locks no client out.
    func refresh(logger: Logger) {
        guard let file else { return }
        do throws(ConfigurationError) {
            guard let keys = try file.keysIfChanged() else { return }
            take(keys)
            logger.notice("read the clients' keys again", metadata: ["keys": "\(keys.entries.count)"])
        } catch {
            refuse(file, because: error)
            for problem in error.problems { logger.error("the clients' keys stay as they were: \(problem)") }
        }
    }
}

extension AuthProvider where Self == APIKeyAuth {
    /// Asks for one of the keys in a file, whose form docs/configuration.md shows.
    /// - Throws: an error that describes all problems of the file, each with line and column.
    public static func apiKeys(file: String) throws -> APIKeyAuth { try APIKeyAuth(file: file) { nil } }
}

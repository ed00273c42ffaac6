/// All that a process is told before it starts, checked.
package struct Configuration: Sendable, Equatable {
    package var settings: Settings
    package var secrets: Secrets
    /// Doubtful points that are no reason not to start.
    package var warnings: [ConfigurationProblem]

    /// Reads the environment and the files that it names.
    ///
    /// - Throws: all problems of all of them, warnings included.
    package static func load(role: Role, environment: [String: String]) throws(ConfigurationError) -> Configuration {
        try load(over: Settings(role: role), environment: environment)
    }

    /// As `load(role:environment:)`, over other defaults than the role's own.
    package static func load(
        over defaults: Settings, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var log = ProblemLog()
        var settings = Settings.read(over: defaults, environment: environment, &log)
        let secrets = log.attempt { () throws(ConfigurationError) in try Self.secrets(settings, environment) }
        if let secrets {
            secrets.warnings.forEach { log.note($0) }
            let hasLangfuseKeys = secrets.projects.values.contains { $0.langfuse != nil }
            if settings.isTraceStoreChosenBySecrets(environment), hasLangfuseKeys {
                settings.backends.langfuse = .cloud
            }
            warnOfUntraced(secrets, settings, &log)
            settings.checkPorts(storesTraces: settings.storesTraces, &log)
        }
        try log.check()
        guard let secrets else { throw ConfigurationError(log.problems) }
        return Configuration(settings: settings, secrets: secrets, warnings: log.problems)
    }

    /// Everything that `load` has to say about the configuration, errors and warnings, a line each. Empty if all is
    /// well.
    package static func check(role: Role, environment: [String: String]) -> [ConfigurationProblem] {
        do throws(ConfigurationError) {
            return try load(role: role, environment: environment).warnings
        } catch {
            return error.problems
        }
    }

    private static func secrets(
        _ settings: Settings, _ environment: [String: String]
    ) throws(ConfigurationError) -> Secrets {
        guard settings.secrets.isFileRequired || ConfigurationFile.exists(settings.secrets.path) else { return .none }
        return try Secrets(path: settings.secrets.path, environment: environment, role: settings.role)
    }

    private static func warnOfUntraced(_ secrets: Secrets, _ settings: Settings, _ log: inout ProblemLog) {
        guard settings.role.handlesTraces, case .url(let url) = settings.backends.langfuse,
            secrets.projects != Secrets.none.projects
        else { return }
        let untraced = secrets.projects.values.filter { $0.langfuse == nil }.map(\.name).sorted()
        guard let first = untraced.first else { return }
        let others = untraced.count > 1 ? " and \(untraced.count - 1) more" : ""
        log.warning(
            at: .environment("LANGFUSE_HOST"),
            "project `\(first)`\(others) cannot be traced to \(url): it has no `langfuse_keys` in \(settings.secrets.path)"
        )
    }
}

extension Settings {
    /// Whether this process runs the trace store, and listens for it.
    var storesTraces: Bool { role == .tracestore || role == .serve && backends.langfuse == .embedded }

    /// Whether `langfuse_keys` decide where traces go: in `serve`, unless `LANGFUSE_HOST` does.
    package func isTraceStoreChosenBySecrets(_ environment: [String: String]) -> Bool {
        role == .serve && environment["LANGFUSE_HOST"]?.isEmpty != false
    }
}

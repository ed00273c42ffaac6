extension Secrets {
    /// Reads a secrets file.
    ///
    /// - Parameters:
    ///   - environment: the variables in which `env: NAME` and `key_env: NAME` are looked up; a variable that is not
    ///     set is an error.
    ///   - role: which keys the process needs. Variables of others are not looked up, and the keys are left out.
    /// - Throws: all that is wrong with the file, together with its warnings.
    package init(path: String, environment: [String: String], role: Role = .serve) throws(ConfigurationError) {
        let file = try ConfigurationFile(reading: path)
        var log = ProblemLog()
        if let warning = file.permissionWarning { log.note(warning) }
        let secrets = log.attempt { () throws(ConfigurationError) in
            try Secrets(parsing: YAMLDocument(file), environment: environment, role: role)
        }
        guard var secrets else { throw ConfigurationError(log.problems) }
        secrets.warnings = log.problems + secrets.warnings
        self = secrets
    }

    /// Reads the content of a secrets file.
    package init(
        parsing document: YAMLDocument, environment: [String: String], role: Role = .serve
    ) throws(ConfigurationError) {
        let keys = ["langfuse_keys", "default_project_id", "provider_keys", "accounts"]
        let root = try document.root.mapping()
        let reader = SecretsReader(environment: environment, role: role)
        var log = ProblemLog()
        _ = log.attempt { () throws(ConfigurationError) in try root.allow(only: keys) }
        let projects = root["langfuse_keys"].map { reader.projects($0, &log) } ?? [:]
        let defaultProject = log.attempt { () throws(ConfigurationError) in try reader.defaultProject(root) }
        let providerKeys = root["provider_keys"].map { reader.providerKeys($0, &log) } ?? [:]
        let accounts = root["accounts"].map { reader.accounts($0, &log) } ?? [:]
        try log.check()
        guard let defaultProject else { throw ConfigurationError(log.problems) }
        self.init(
            projects: projects.isEmpty ? Secrets.none.projects : projects, defaultProject: defaultProject,
            providerKeys: providerKeys,
            accounts: accounts, warnings: log.problems)
        if let written = try root["provider_keys"]?.mapping() {
            providerKeyLocations = Dictionary(written.entries.map { (UTF8Text($0.key), $0.location) }) { first, _ in
                first
            }
        }
    }
}

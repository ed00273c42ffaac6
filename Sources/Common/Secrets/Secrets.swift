/// The content of secrets.yaml: projects with their Langfuse keys, and the operator's own provider keys and accounts.
package struct Secrets: Sendable, Equatable {
    /// The file's path if `SECRETS_PATH` names none.
    package static let defaultPath = "secrets.yaml"

    /// By name. Never empty, and always holds `defaultProject`.
    package var projects: [UTF8Text: Project]
    /// The project of a request whose path names none.
    package var defaultProject: String
    /// The names of rollouts' keys.
    package var keySpace: KeySpace { KeySpace(defaultProject: defaultProject) }
    /// Keys of the built-in providers, by the provider's prefix such as `openai`. They go before the environment's.
    package var providerKeys: [UTF8Text: SecretString]
    /// The location of each of them in the file.
    package var providerKeyLocations: [UTF8Text: ConfigurationProblem.Location] = [:]
    /// The operator's own accounts, by name. A model `name/model` uses one.
    package var accounts: [UTF8Text: ProviderAccount]
    /// Doubtful points of the file, such as its mode.
    package var warnings: [ConfigurationProblem]

    package init(
        projects: [UTF8Text: Project], defaultProject: String, providerKeys: [UTF8Text: SecretString] = [:],
        accounts: [UTF8Text: ProviderAccount] = [:], warnings: [ConfigurationProblem] = []
    ) {
        self.projects = projects
        self.defaultProject = defaultProject
        self.providerKeys = providerKeys
        self.accounts = accounts
        self.warnings = warnings
    }

    /// The secrets without a file: one project, `local`, that has no Langfuse keys.
    package static let none = Secrets(projects: ["local": Project(name: "local")], defaultProject: "local")
}

/// The files and the key that hold secrets.
package struct SecretsSettings: Sendable, Equatable {
    package var path = Secrets.defaultPath
    /// Whether the secrets file must exist, because the variable names it.
    package var isFileRequired = false
    /// The key that seals what travels through Redis, from either variable. Nil only in `serve`, which then makes one.
    package var gatewayKey: GatewayKey?
    /// A file with the key in base64. `Settings.read` reads it into `gatewayKey`.
    package var gatewayKeyFile: String?
    /// The file of the clients' keys. Nil: clients need none.
    package var apiKeysPath: String?
}

extension SecretsSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "SECRETS_PATH", \.secrets.path, rule: .file,
            meaning: "The secrets file. It need not exist unless this is set."),
        Setting(
            "GATEWAY_KEY", \.secrets.gatewayKey, rule: .gatewayKey,
            meaning:
                "The key that seals the payloads in Redis; the same in all processes. `serve` makes one in `DATA_DIR` if neither this nor `GATEWAY_KEY_FILE` is set.",
            commands: .sharing, requiredBy: .separate),
        Setting(
            "GATEWAY_KEY_FILE", \.secrets.gatewayKeyFile, rule: .file,
            meaning: "A file that holds the key, instead of `GATEWAY_KEY`.",
            commands: .sharing),
        Setting(
            "API_KEYS_PATH", \.secrets.apiKeysPath, rule: .file,
            meaning: "The file of the clients' keys. It turns authentication on; without it any client may call."),
        Setting(
            "CONFIG_PATH", \.configPath, rule: .fileOrFolder,
            meaning: "The operator's [rules](policies.md#rules): a file of YAML documents, or a folder of such files.",
            commands: .facing),
    ]
}

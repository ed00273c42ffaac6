package import Common

/// The providers that the gateway knows, read from data.
package struct ProviderTable: Sendable {
    /// By prefix.
    package let providers: [UTF8Text: Provider]
    /// Prefixes that LiteLLM knows but this gateway cannot call itself.
    package let unsupported: Set<UTF8Text>

    /// The table that the gateway carries.
    package static func embedded() throws(ConfigurationError) -> ProviderTable {
        try ProviderTable(parsing: PackageResources.providers_yaml, file: "providers.yaml")
    }

    /// Reads a table in the form that providers.yaml explains at its head. Every problem is reported with its line and
    /// column.
    package init(parsing bytes: [UInt8], file: String) throws(ConfigurationError) {
        let top = try YAMLDocument(parsing: bytes, file: file).root.mapping()
        try top.allow(only: ["providers", "unsupported"])
        var log = ProblemLog()
        var providers: [UTF8Text: Provider] = [:]
        for entry in try top.required("providers").mapping().entries {
            providers[entry.key] = log.attempt { () throws(ConfigurationError) in
                try Provider(prefix: entry.key, node: entry.value)
            }
        }
        try log.check()
        self.providers = providers
        self.unsupported = Set(texts: try top["unsupported"]?.strings() ?? [])
    }
}

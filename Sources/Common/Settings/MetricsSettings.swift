/// The metrics of a process.
package struct MetricsSettings: Sendable, Equatable {
    package var host = "127.0.0.1"
    /// The port on which each process shows its metrics, besides the ingress's own page; 0: any free port. Nil: none.
    package var port: Int?
    /// Connections of scrapers to that port.
    package var maxConnections = 16
    /// Metadata by whose values calls are counted.
    package var metadataKeys: [String] = []
    /// Values of each of these keys that are told apart.
    package var metadataValues = 50
    /// Models that are told apart, besides those that the operator's rules name.
    package var models: [String] = []
    /// Models that are told apart in all.
    package var modelValues = 100
}

extension MetricsSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "METRICS_HOST", \.metrics.host, rule: .listenAddress,
            meaning: "The address on which a process shows its metrics."),
        Setting(
            "METRICS_PORT", \.metrics.port, rule: .int(0...65535, example: 9400),
            meaning:
                "The port on which a process answers `GET /metrics` and `GET /health`, without a key; 0 takes any free one. "
                + "Not set: only an ingress has these pages, on its own port."),
        Setting(
            "METRICS_MAX_CONNECTIONS", \.metrics.maxConnections, rule: .int(2...10_000),
            meaning:
                "The most connections to that port; further ones wait in the system's queue. When all are open, those that "
                + "stand idle give way."),
        Setting(
            "METRICS_METADATA_KEYS", \.metrics.metadataKeys, rule: .labelValues(most: 16, example: "environment,team"),
            meaning:
                "Keys of [metadata](policies.md#metadata), the ids of the path among them, by whose values calls are counted "
                + "in the metrics.",
            commands: [.serve, .forwarder]),
        Setting(
            "METRICS_METADATA_VALUES", \.metrics.metadataValues, rule: .int(1...1000),
            meaning: "The most values of each of these keys that a process tells apart; the rest is `other`.",
            commands: [.serve, .forwarder]),
        Setting(
            "METRICS_MODELS", \.metrics.models,
            rule: .labelValues(most: 1000, example: "openai/gpt-4o,anthropic/claude-sonnet-4"),
            meaning:
                "Models that the metrics tell apart, as clients name them, besides those that the operator's rules name as "
                + "targets; the rest is `other`.",
            commands: [.serve, .forwarder]),
        Setting(
            "METRICS_MODEL_VALUES", \.metrics.modelValues, rule: .int(1...1000),
            meaning: "The most models that a process tells apart.", commands: [.serve, .forwarder]),
    ]
}

extension SettingRule<[String]> {
    /// Values of a label, with commas between them.
    static func labelValues(most: Int, example: String) -> Self {
        Self(
            text:
                "up to \(most) different names with commas between them, each of 1 to 128 bytes without control characters",
            example: example,
            parse: { text in
                var names: [String] = []
                for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                    let name = String(decoding: part.utf8.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
                    guard name.isPrintable, (1...128).contains(name.utf8.count), !names.contains(where: { $0 == name })
                    else { return nil }
                    names.append(name)
                }
                return names.count <= most ? names : nil
            },
            show: { $0.joined(separator: ",") })
    }
}

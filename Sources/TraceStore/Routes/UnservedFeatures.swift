internal import Common
internal import Logging
internal import NIOConcurrencyHelpers

/// The parts of Langfuse's API that the store does not have. Its caller is told with 501, and the log has one line on
/// each.
final class UnservedFeatures: Sendable {
    /// By the first part of their paths behind `/api/public` and a version.
    private static let names: Set<UTF8Text> = [
        "annotation-queues", "comments", "dashboard-widgets", "dashboards", "dataset-items", "dataset-run-items",
        "datasets", "evaluation-rules", "evaluators", "events", "experiment-items", "experiments", "feedback",
        "generations", "integrations", "llm-connections", "mcp", "media", "metrics", "models", "organizations", "otel",
        "projects", "prompts", "scim", "score-configs", "skills", "slack", "spans",
    ]
    private static let versions: Set<UTF8Text> = ["v1", "v2", "v3", "unstable"]

    private let noted = NIOLockedValueBox<Set<UTF8Text>>([])

    /// The feature that a path belongs to; nil for a path that Langfuse does not have either.
    static func feature(of path: String) -> String? {
        let prefix = "/api/public/"
        guard path.hasPrefix(prefix) else { return nil }
        let parts = path.utf8.dropFirst(prefix.utf8.count).split(separator: UInt8(ascii: "/")).map {
            UTF8Text(String(Substring($0)))
        }
        guard let name = parts.first(where: { !versions.contains($0) }), names.contains(name) else { return nil }
        return name.text
    }

    /// Writes one line on a feature, when it is asked for the first time. There are few, so the log stays short.
    func note(_ feature: String, _ logger: Logger) {
        guard noted.withLockedValue({ $0.insert(UTF8Text(feature)).inserted }) else { return }
        logger.warning(
            "a client asks the embedded trace store for what it does not serve, and gets 501; a Langfuse has it",
            metadata: ["feature": "\(feature)"])
    }
}

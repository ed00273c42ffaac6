package import Common

/// A rule on metadata that a request breaks.
package struct MetadataViolation: Sendable, Equatable {
    package enum Rule: Sendable, Equatable {
        case required
        case notListed([String])
        case noMatch(String)
        case unknown(known: [String])

        /// The rule's name in the configuration.
        package var name: String {
            switch self {
            case .required: "required"
            case .notListed: "values"
            case .noMatch: "regex"
            case .unknown: "allow_unknown_keys"
            }
        }
    }

    /// The most values or keys that an error lists.
    private static let listed = 10

    package var key: String
    package var rule: Rule

    /// The key as the operator wrote it; nil for one that the client made up, which no log shows.
    package var ruledKey: String? {
        if case .unknown = rule { nil } else { key }
    }

    /// The error that the client is told: the key, the rule, and what repairs it. It never shows the value.
    package var error: GatewayError {
        let name = MetadataLimits.shown(key)
        let message =
            switch rule {
            case .required: "Metadata needs the key `\(name)`. Send it in the header `X-TFY-METADATA`."
            case .notListed(let values):
                "The metadata `\(name)` has a value that is not allowed here. Allowed: \(Self.list(values))."
            case .noMatch(let pattern):
                "The metadata `\(name)` has a value that is not allowed here. It must match `\(pattern)`."
            case .unknown(let known):
                "The metadata `\(name)` is not known here. Leave it out. Known: \(Self.list(known))."
            }
        return .invalidRequest(code: "metadata_refused", message, param: "metadata.\(name)")
    }

    /// Texts within a sentence, the first of many.
    static func list(_ texts: [String]) -> String {
        let shown = texts.prefix(listed).map { "`\($0)`" }.joined(separator: ", ")
        if texts.isEmpty { return "none" }
        return texts.count > listed ? "\(shown) and \(texts.count - listed) more" : shown
    }
}

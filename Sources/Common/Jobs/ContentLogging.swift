/// The extent to which a trace shows a request's input and output.
package enum ContentLogging: Sendable, Equatable {
    case whole
    /// All but what the operator's rules take out.
    case redacted(LogRedaction)
    /// Nothing. Nor does a log, a dead letter or an export.
    case withheld
}

/// The redaction of the logged copy of a request and its answer.
package struct LogRedaction: Sendable, Hashable {
    /// An expression, and what stands in the place of what it matches.
    package struct Pattern: Sendable, Hashable {
        package var text: UTF8Text
        package var replacement: UTF8Text

        package init(_ text: String, replacement: String) {
            (self.text, self.replacement) = (UTF8Text(text), UTF8Text(replacement))
        }
    }

    /// By their names. A name that a forwarder does not know is one of a later version.
    package var presets: [UTF8Text]
    package var patterns: [Pattern]

    package init(presets: [UTF8Text] = [], patterns: [Pattern] = []) {
        self.presets = presets
        self.patterns = patterns
    }

    package var isEmpty: Bool { presets.isEmpty && patterns.isEmpty }

    /// Adds what another rule takes out.
    package mutating func formUnion(_ other: LogRedaction) {
        for preset in other.presets where !presets.contains(preset) { presets.append(preset) }
        for pattern in other.patterns where !patterns.contains(pattern) { patterns.append(pattern) }
    }
}

extension GatewayError {
    /// A request that shall stand in no trace, or not as a whole, would go to a proxy that writes one.
    package static let tracedByProxy = GatewayError.invalidRequest(
        code: "always_logged",
        "This request is not to stand in traces as it is, by a header of its own or a rule of the operator's. The "
            + "LiteLLM proxy behind this gateway traces all that it is sent (LITELLM_TRACES), so the request was not "
            + "passed on. Send it without `tfy_log_request` and X-TFY-LOGGING-CONFIG to have it traced.")
}

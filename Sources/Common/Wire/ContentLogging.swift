/// What a trace shows of a request's input and output.
package enum ContentLogging: Sendable, Equatable {
    case whole
    /// All but what the operator's rules take out.
    case redacted(LogRedaction)
    /// Nothing. Nor does a log, a dead letter or an export.
    case withheld
}

/// What is taken out of the logged copy of a request and its answer.
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

extension LogRedaction {
    private enum Tag {
        static let preset: UInt8 = 1
        static let pattern: UInt8 = 2
        static let replacement: UInt8 = 3
    }

    /// The redaction within a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64 + 64 * patterns.count)
        for preset in presets { writer.field(Tag.preset, preset.text) }
        for pattern in patterns {
            writer.field(Tag.pattern, pattern.text.text)
            writer.field(Tag.replacement, pattern.replacement.text)
        }
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init()
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.preset: presets.append(UTF8Text(try WireReader.string(value)))
            case Tag.pattern: patterns.append(Pattern(try WireReader.string(value), replacement: ""))
            case Tag.replacement where !patterns.isEmpty:
                patterns[patterns.count - 1].replacement = UTF8Text(try WireReader.string(value))
            default: continue
            }
        }
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

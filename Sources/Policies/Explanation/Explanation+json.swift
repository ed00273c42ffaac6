internal import Common
internal import JSON

extension Explanation {
    /// The explanation as docs/api.md shows it: one JSON object.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("object", "rules.explanation")
            writer.member("rules_hash", hash)
            writer.member("decision") { decision.write(to: &$0) }
            writer.member("request") { writeRequest(to: &$0) }
            writer.member("metadata") { $0.array(metadata.entries) { $1.write(to: &$0) } }
            writer.member("violation") { writeViolation(to: &$0) }
            writer.member("rate_limits") { $0.array(limits) { $1.write(to: &$0) } }
            writer.member("is_routed", isRouted)
            writer.member("load_balancing") { $0.array(balancing) { $1.write(to: &$0) } }
            writer.member("fallback") { $0.array(fallbacks) { $1.write(to: &$0) } }
            writer.member("logging") { logging.write(to: &$0) }
        }
        return writer.bytes
    }

    private func writeRequest(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("model", facts.model)
            writer.member("account", facts.caller.account)
            writer.member("user", facts.caller.user)
            writer.member("teams") { $0.texts(facts.caller.teams) }
        }
    }

    private func writeViolation(to writer: inout JSONWriter) {
        guard let violation else { return writer.raw("null") }
        writer.object { writer in
            writer.member("key", violation.key)
            writer.member("rule", violation.rule.name)
            writer.member("refuses", refusesViolations)
            writer.member("message", violation.error.message)
        }
    }
}

extension Explanation.Decision {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .admitted: writer.member("outcome", "admitted")
            case .unknown: writer.member("outcome", "unknown")
            case .refused(let status, let code, let rule):
                writer.member("outcome", "refused")
                writer.member("status", status)
                writer.member("code", code)
                writer.member("rule", rule)
            }
        }
    }
}

extension Explanation.Limit {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.head(id, unmet)
            writer.member("counts", limit != nil)
            writer.member("limit", rule.limit)
            writer.member("unit", "\(rule.unit.rawValue)_per_\(rule.window.rawValue)")
            writer.member("mode", rule.isEnforced ? "enforce" : "audit")
            guard limit != nil else { return }
            writer.member("name", name)
            writer.member("amount") { $0.raw(amount.map { String($0) } ?? "null") }
            writer.member("usage") { writeUsage(to: &$0) }
        }
    }

    private func writeUsage(to writer: inout JSONWriter) {
        writer.object { writer in
            switch usage {
            case .unknown(let reason): writer.member("unknown", reason)
            case .known(let usage):
                writer.member("used", usage.used)
                writer.member("remaining", max(rule.limit - usage.used, 0))
                writer.member("reset_ms", usage.reset)
                writer.member("is_over", isOver ?? false)
            }
        }
    }
}

extension Explanation.Balancing {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.head(id, unmet)
            writer.member("decides", decides)
            writer.member("targets") { $0.array(targets) { $1.write(to: &$0) } }
        }
    }
}

extension Explanation.Balancing.Target {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("target", model)
            writer.member("weight", weight)
            writer.member("share", share)
            writer.member("eligible", unmet.isEmpty)
            if !unmet.isEmpty { writer.member("unmet") { $0.array(unmet) { $1.write(to: &$0) } } }
            writer.member("fallback_candidate", takesFallback)
            writer.member("fallback_status_codes") { $0.texts(failures) }
            writer.retry(retry)
        }
    }
}

extension Explanation.Fallback {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.head(id, unmet)
            writer.member("decides", decides)
            writer.member("fallback_models") { $0.array(targets) { $1.write(to: &$0) } }
            writer.member("response_status_codes") { $0.texts(failures) }
        }
    }
}

extension Explanation.Fallback.Target {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("target", model)
            writer.retry(retry)
        }
    }
}

extension Explanation.Logging {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("content", content.name)
            writer.member("decided_by") { decider.write(to: &$0) }
            if let redaction { writer.member("redact_with") { redaction.write(to: &$0) } }
            writer.member("rules") { $0.array(rules) { $1.write(to: &$0) } }
        }
    }
}

extension ContentLogging {
    /// As traces name it, in `gateway_content`.
    fileprivate var name: String {
        switch self {
        case .whole: "whole"
        case .redacted: "redacted"
        case .withheld: "withheld"
        }
    }
}

extension Explanation.Logging.Decider {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .rule(let id): writer.member("rule", id)
            case .setting(let mode):
                writer.member("setting", "REQUEST_LOGGING_MODE")
                writer.member("value", mode.rawValue)
            case .switchedOff(let carrier): writer.member("switch", carrier.name)
            }
        }
    }
}

extension Explanation.Logging.Rule {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.head(id, unmet)
            writer.member("log", isLogged)
            if let redaction { writer.member("redact_with") { redaction.write(to: &$0) } }
        }
    }
}

extension Explanation.Logging.Redaction {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("presets") { $0.texts(presets) }
            writer.member("custom_patterns") { writer in
                writer.array(patterns) { writer, pattern in
                    writer.object { writer in
                        if let text = pattern.text { writer.member("pattern", text) }
                        writer.member("redaction_text", pattern.replacement)
                    }
                }
            }
        }
    }
}

extension ResolvedMetadata.Entry {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key", key)
            writer.member("value", value)
            writer.member("origin", origin.name)
        }
    }
}

extension UnmetPart {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("part", part)
            if let wants { writer.member("wants", wants) }
            writer.member("found", found)
            if let origin { writer.member("origin", origin.name) }
        }
    }
}

extension JSONWriter {
    /// Writes the members that each rule has.
    fileprivate mutating func head(_ id: String, _ unmet: [UnmetPart]) {
        member("id", id)
        member("matches", unmet.isEmpty)
        if !unmet.isEmpty { member("unmet") { $0.array(unmet) { $1.write(to: &$0) } } }
    }

    /// Writes the retries of a target; null: its rule does not say.
    fileprivate mutating func retry(_ retry: Route.Retry?) {
        member("retry_config") { writer in
            guard let retry else { return writer.raw("null") }
            writer.object { writer in
                writer.member("attempts", retry.attempts)
                writer.member("delay", retry.delay)
                writer.member("on_status_codes") { $0.texts(retry.failures.words) }
            }
        }
    }

    fileprivate mutating func texts(_ texts: [String]) { array(texts) { $0.string($1) } }
}

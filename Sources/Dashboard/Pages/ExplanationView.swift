internal import Common
internal import JSON

/// The rules' decision on a described request, as `/rules/explain` tells it.
struct ExplanationView {
    struct RuleRow {
        var explainKind: String
        var explainRule: String
        var explainTone: String
        var explainMatch: String
        /// The rule's effect, or the reason why it does not match.
        var explainText: String
    }

    struct Entry {
        var entryName: String
        var entryValue: String
        var entryOrigin: String
    }

    var decisionTone: String
    var decisionText: String
    var violation: String?
    var rules: [RuleRow]
    var hasRules: Bool
    var entries: [Entry]

    init(_ answer: JSONObject) {
        (decisionTone, decisionText) = Self.decision(answer.nested("decision"))
        violation = answer.nested("violation").flatMap { $0.text("message") }
        let logging = answer.nested("logging")
        rules = answer.objects("rate_limits").map { Self.row("rate limit", $0, does: Self.limit) }
        rules += answer.objects("load_balancing").map { Self.row("load balancing", $0, does: Self.targets) }
        rules += answer.objects("fallback").map { Self.row("fallback", $0, does: Self.fallbacks) }
        rules += (logging?.objects("rules") ?? []).map { Self.row("logging", $0, does: Self.logging) }
        hasRules = !rules.isEmpty
        entries = answer.objects("metadata").map {
            Entry(
                entryName: $0.text("key") ?? "", entryValue: $0.text("value") ?? "",
                entryOrigin: $0.text("origin") ?? "")
        }
    }

    private static func decision(_ object: JSONObject?) -> (tone: String, text: String) {
        switch object?.text("outcome").map({ UTF8Text($0) }) {
        case "admitted": return ("good", "admitted")
        case "refused":
            let status = object?.number("status").map { "\(Int($0)) " } ?? ""
            let rule = object?.text("rule").map { " by \($0)" } ?? ""
            return ("bad", "refused: \(status)\(object?.text("code") ?? "")\(rule)")
        default: return ("warn", "not known: not all counters can be read")
        }
    }

    private static func row(_ kind: String, _ rule: JSONObject, does: (JSONObject) -> String) -> RuleRow {
        let matches = rule.flag("matches") ?? false
        // A rule that matches may stand behind one that decides instead of it.
        let decides = rule.flag("decides") ?? rule.flag("counts") ?? matches
        let word = matches ? (decides ? "applies" : "matches, another one decides") : "does not match"
        return RuleRow(
            explainKind: kind, explainRule: rule.text("id") ?? "", explainTone: decides && matches ? "good" : "quiet",
            explainMatch: word,
            explainText: matches ? does(rule) : rule.objects("unmet").map(unmet).joined(separator: "; "))
    }

    private static func unmet(_ part: JSONObject) -> String {
        let found = part.text("found").map { "is \($0)" } ?? "is not there"
        let origin = part.text("origin").map { " (from the \($0))" } ?? ""
        return "\(part.text("part") ?? "") \(found)\(origin)" + (part.text("wants").map { ", wanted: \($0)" } ?? "")
    }

    private static func limit(_ rule: JSONObject) -> String {
        let unit = (rule.text("unit") ?? "").utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }
        let most = "\(Figures.count(rule.number("limit") ?? 0)) \(String(decoding: unit, as: UTF8.self))"
        let mode = rule.text("mode") == "audit" ? ", audit only" : ""
        guard let usage = rule.nested("usage") else { return most + mode }
        if let reason = usage.text("unknown") { return "\(most)\(mode); used: not known, \(reason)" }
        let counts = rule.number("amount").map { ", this request counts \(Figures.count($0))" } ?? ""
        let over = usage.flag("is_over") ?? false ? ", and is over the limit" : ""
        return "\(most)\(mode); used: \(Figures.count(usage.number("used") ?? 0))\(counts)\(over)"
    }

    private static func targets(_ rule: JSONObject) -> String {
        rule.objects("targets").map { target in
            let share = target.number("share") ?? 0
            return "\(target.text("target") ?? "") \(Figures.percent(share, of: 1))"
        }.joined(separator: ", ")
    }

    private static func fallbacks(_ rule: JSONObject) -> String {
        let models = rule.objects("fallback_models").compactMap { $0.text("target") }.joined(separator: ", then ")
        return "after \(rule.texts("response_status_codes").joined(separator: ", ")): \(models)"
    }

    private static func logging(_ rule: JSONObject) -> String {
        guard rule.flag("log") ?? true else { return "kept out of traces" }
        return rule.nested("redact_with") == nil ? "logged" : "logged, redacted"
    }
}

internal import Common
internal import JSON

/// The present usage of rate limits, as `/rules/usage` tells it.
struct LimitUsageView {
    struct Part {
        var partName: String
        var partValue: String
    }

    struct Counter {
        var counterRule: String
        var counterLink: String
        var counterParts: [Part]
        var counterPercent: String
        var counterWidth: String
        var counterTone: String
        var counterUsed: String
        var counterReset: String
    }

    var counters: [Counter]
    var hasCounters: Bool
    /// The source that tells which counters are in use.
    var usageSource: String
    /// The reason why something is not shown.
    var usageNote: String?
    var moreCounters: String?

    /// - Parameter answer: `{"counters","requests","left_out","hidden","unknown"}`.
    /// - Returns: nil if there is nothing to tell.
    init?(_ answer: JSONObject, links: Links) {
        counters = answer.objects("counters").map { Counter($0, links: links) }
        hasCounters = !counters.isEmpty
        let (hidden, left) = (answer.number("hidden") ?? 0, answer.number("left_out") ?? 0)
        usageSource = "by the latest \(Figures.count(answer.number("requests") ?? 0)) requests that rules met"
        moreCounters = left > 0 ? "and \(Figures.count(left)) more that are less full" : nil
        var notes: [String] = []
        if hidden > 0 {
            let are =
                hidden == 1 ? "One more counter belongs to a value" : "\(Figures.count(hidden)) more belong to values"
            notes.append("\(are) that any client may claim; the operator is shown what is counted there.")
        }
        if let reason = answer.text("unknown") { notes.append("Not all is known: \(reason)") }
        usageNote = notes.isEmpty ? nil : notes.joined(separator: " ")
        guard hasCounters || usageNote != nil else { return nil }
    }
}

extension LimitUsageView.Counter {
    fileprivate init(_ counter: JSONObject, links: Links) {
        let rule = counter.text("rule") ?? ""
        let (used, limit) = (counter.number("used") ?? 0, counter.number("limit") ?? 0)
        counterRule = counter.text("name") ?? rule
        counterLink = links.requests(FilterForm.query([("rule", rule)]))
        counterParts = counter.objects("parts").map { part in
            LimitUsageView.Part(partName: part.text("name") ?? "", partValue: part.text("value") ?? "(none)")
        }
        counterPercent = Figures.percent(used, of: limit)
        counterWidth = SVGText.percent(min(used, limit), of: max(limit, 1))
        counterTone = used >= limit ? "bad" : used >= 0.8 * limit ? "warn" : "good"
        let unit = (counter.text("unit") ?? "").utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }
        let mode = counter.text("mode") == "audit" ? ", audit only" : ""
        counterUsed =
            "\(Figures.count(used)) of \(Figures.count(limit)) \(String(decoding: unit, as: UTF8.self))\(mode)"
        let reset = counter.number("reset_ms") ?? 0
        counterReset = reset > 0 ? Figures.duration(reset) : "–"
    }
}

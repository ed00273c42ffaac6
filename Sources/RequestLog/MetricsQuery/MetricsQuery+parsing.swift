internal import Common

extension MetricsQuery {
    /// The measures of a query that names none.
    private static let usualMeasures: [MetricsMeasure] = [
        .count(.requests), .count(.errors), .sum(.inputTokens), .sum(.outputTokens), .sum(.cost),
        .percentile(.p50, of: .latency), .percentile(.p99, of: .latency),
    ]

    /// Reads `measures`, `group_by`, `interval`, `limit` and the filters. Without `from` it is about the last day.
    /// - Throws: a 400 that names the parameter.
    init(_ query: QueryItems, now: Timestamp) throws(GatewayError) {
        var parser = FilterParser(now: now)
        for (name, value) in query.items where try !parser.read(name, value) {
            guard Self.parameters.contains(name) else {
                throw .unknownParameter(name, known: Self.parameters + FilterParser.names)
            }
        }
        var filter = try parser.finished()
        let to = filter.to ?? now + .milliseconds(1)
        let from = filter.from ?? to - FilterLimits.usualRange
        guard from < to else {
            throw .invalidQuery("from", "must be earlier than `to`, which is now if it is not given")
        }
        (filter.from, filter.to) = (from, to)
        self.init(filter: filter, measures: try Self.measures(query))
        groups = try Self.groups(query)
        groupLimit = try query.integer("limit", in: 1...FilterLimits.groups) ?? FilterLimits.usualGroups
        interval = try Self.interval(query, range: to.milliseconds(since: from))
    }

    private static let parameters = ["measures", "group_by", "interval", "limit"]

    private static func measures(_ query: QueryItems) throws(GatewayError) -> [MetricsMeasure] {
        guard let text = query.value("measures") else { return usualMeasures }
        var measures: [MetricsMeasure] = []
        for name in text.split(separator: ",") {
            guard let measure = MetricsMeasure.named(String(name)) else {
                let known = MetricsMeasure.all.map(\.name)
                let hint =
                    SpellingSuggestion.nearest(to: String(name), among: known).map { " Did you mean `\($0)`?" } ?? ""
                throw .invalidQuery(
                    "measures",
                    "has no measure `\(name.prefix(64))`.\(hint) Known: \(known.map { "`\($0)`" }.joined(separator: ", "))"
                )
            }
            if !measures.contains(measure) { measures.append(measure) }
        }
        guard (1...FilterLimits.measures).contains(measures.count) else {
            throw .invalidQuery("measures", "must name 1 to \(FilterLimits.measures) measures, separated by commas")
        }
        return measures
    }

    private static func groups(_ query: QueryItems) throws(GatewayError) -> [Grouping] {
        let texts = query.values("group_by").filter { !$0.isEmpty }
        guard !texts.isEmpty else { return [] }
        var groups: [Grouping] = []
        for name in texts.flatMap({ names(of: $0) }) {
            if let group = group(named: name) {
                if !groups.contains(group) { groups.append(group) }
            } else {
                let known = RequestField.Known.allCases.map(\.name) + ["project"]
                let hint = SpellingSuggestion.nearest(to: name, among: known).map { " Did you mean `\($0)`?" } ?? ""
                throw .invalidQuery(
                    "group_by",
                    "cannot group by `\(name.prefix(64))`.\(hint) Known: "
                        + known.map { "`\($0)`" }.joined(separator: ", ") + ", and `metadata.KEY` for any key")
            }
        }
        guard (1...FilterLimits.groupFields).contains(groups.count) else {
            throw .invalidQuery(
                "group_by", "must name 1 to \(FilterLimits.groupFields) properties, separated by commas")
        }
        return groups
    }

    /// The names of a list with commas. A metadata key may hold commas itself: what names nothing on its own belongs to
    /// the key before it.
    private static func names(of text: String) -> [String] {
        let comma = UInt8(ascii: ",")
        var names: [String] = []
        for part in text.utf8.split(separator: comma, omittingEmptySubsequences: false) {
            let name = String(decoding: part, as: UTF8.self)
            if let last = names.last, last.hasPrefix(RequestField.metadataPrefix),
                !name.hasPrefix(RequestField.metadataPrefix), group(named: name) == nil
            {
                names[names.count - 1] = last + "," + name
            } else if !name.isEmpty {
                names.append(name)
            }
        }
        return names
    }

    private static func group(named name: String) -> Grouping? {
        name == "project" ? .project : FilterParser.field(named: name).map(Grouping.field)
    }

    private static func interval(_ query: QueryItems, range: UInt64) throws(GatewayError) -> UInt64? {
        guard let text = query.value("interval") else { return nil }
        guard let interval = DurationText.milliseconds(text), interval > 0 else {
            throw .invalidQuery("interval", "must be a length of time, such as 5m, 1h or 1d")
        }
        guard range / interval < UInt64(FilterLimits.points) else {
            throw .invalidQuery(
                "interval",
                "makes more than \(FilterLimits.points) points of this range. Make it longer, or `from` later")
        }
        return interval
    }
}

extension GatewayError {
    /// A parameter that nothing reads, which would otherwise seem to have been obeyed.
    static func unknownParameter(_ name: String, known: [String]) -> Self {
        let hint =
            SpellingSuggestion.nearest(to: name, among: known).map { ". Did you mean `\($0)`?" }
            ?? ". Known: " + known.map { "`\($0)`" }.joined(separator: ", ")
        return .invalidQuery(String(name.prefix(64)), "is not known here\(hint)")
    }
}

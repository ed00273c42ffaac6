internal import Common

/// The parameters of `GET /api/public/v3/scores`, the API that SDKs speak from version 5 on: pages by a cursor.
struct ScorePageRequest {
    /// The groups of members that can be asked for.
    enum FieldGroup: String, CaseIterable {
        case core, details, subject, annotation
    }

    /// Columns that take any of several values, by their parameters.
    private static let options: [(name: String, column: Condition.Column)] = [
        ("id", .id), ("name", .name), ("source", .source), ("dataType", .dataType), ("environment", .environment),
        ("configId", .configID), ("queueId", .queueID), ("authorUserId", .author), ("traceId", .traceID),
        ("sessionId", .session), ("observationId", .observationID), ("experimentId", .datasetRunID),
    ]
    private static let others: Set<UTF8Text> = [
        "limit", "cursor", "fields", "value", "valueMin", "valueMax", "fromTimestamp", "toTimestamp", "userId",
        "traceTags",
    ]

    var query: ScoreQuery
    var groups: Set<FieldGroup> = [.core]

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        query = ScoreQuery(project: project)
        let known = Self.others.union(Self.options.map { UTF8Text($0.name) })
        if let unknown = parameters.names.subtracting(known).min() {
            throw .invalidParameter(String(unknown.text.unicodeScalars.prefix(64)), "is not a parameter of this route")
        }
        query.limit = try PageParameters(parameters).limit
        if let text = parameters["cursor"] {
            guard let cursor = ScoreCursor(text) else { throw .invalidRequest("Invalid cursor format") }
            query.cursor = cursor
        }
        for name in parameters.values("fields") ?? [] {
            guard let group = FieldGroup.named(name) else {
                let names = FieldGroup.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidParameter("fields", "must be a list of \(names), separated by commas")
            }
            groups.insert(group)
        }
        try Self.check(parameters)
        query.conditions = try Self.conditions(parameters)
    }

    /// Checks what can be asked for together.
    private static func check(_ parameters: QueryParameters) throws(LangfuseError) {
        for name in ["userId", "traceTags"] where parameters[name] != nil {
            throw .invalidParameter(
                name, "filter requires a trace JOIN and is not supported in v3 — use v2 or omit this filter")
        }
        guard parameters.values("observationId") == nil || parameters.values("traceId") != nil else {
            throw .invalidParameter(
                "observationId", "filter requires traceId — observation IDs are scoped to a trace")
        }
        let targets = ["traceId", "sessionId", "experimentId"].filter { parameters.values($0) != nil }
        guard targets.count < 2 else {
            throw .invalidParameter(targets[1], "At most one of traceId, sessionId, experimentId may be specified")
        }
    }

    private static func conditions(_ parameters: QueryParameters) throws(LangfuseError) -> [Condition] {
        var conditions: [Condition] = []
        for (name, column) in options {
            guard var values = parameters.values(name) else { continue }
            if column == .source || column == .dataType {
                let known =
                    column == .source
                    ? Score.Source.allCases.map(\.rawValue) : Score.DataType.allCases.map(\.rawValue)
                values = values.map(\.uppercasedASCII)
                guard values.allSatisfy(known.contains) else {
                    throw .invalidParameter(name, "Allowed: \(known.joined(separator: ", "))")
                }
            }
            conditions.append(Condition(column: column, test: .anyOf(values)))
        }
        if let from = try parameters.time("fromTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.atLeast, Double(from))))
        }
        if let to = try parameters.time("toTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.less, Double(to))))
        }
        return conditions + (try valueConditions(parameters))
    }

    private static func valueConditions(_ parameters: QueryParameters) throws(LangfuseError) -> [Condition] {
        var conditions: [Condition] = []
        let types = parameters.values("dataType")?.map(\.uppercasedASCII) ?? []
        for (name, comparison) in [("valueMin", Condition.Comparison.atLeast), ("valueMax", .atMost)] {
            guard let bound = try parameters.number(name) else { continue }
            guard types == ["NUMERIC"] else {
                throw .invalidParameter(name, "valueMin and valueMax require dataType=NUMERIC as a single value")
            }
            conditions.append(Condition(column: .value, test: .compares(comparison, bound)))
        }
        guard let values = parameters.values("value") else { return conditions }
        switch types {
        case ["CATEGORICAL"]: conditions.append(Condition(column: .stringValue, test: .anyOf(values)))
        case ["NUMERIC"]:
            let numbers = values.compactMap { Double($0) }.filter(\.isFinite)
            guard numbers.count == values.count else {
                throw .invalidParameter("value", "with dataType=NUMERIC each value must be a finite number")
            }
            conditions.append(Condition(column: .value, test: .anyNumberOf(numbers)))
        case ["BOOLEAN"]:
            guard values.allSatisfy({ ["true", "false"].contains($0) }) else {
                throw .invalidParameter("value", "with dataType=BOOLEAN each value must be true or false")
            }
            conditions.append(Condition(column: .value, test: .anyNumberOf(values.map { $0 == "true" ? 1 : 0 })))
        default:
            throw .invalidParameter(
                "value", "filter requires a single dataType from: NUMERIC, BOOLEAN, CATEGORICAL")
        }
        return conditions
    }
}

extension String {
    /// The text with `A` to `Z` for `a` to `z`: names of kinds are taken in either case.
    fileprivate var uppercasedASCII: String {
        String(decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self)
    }
}

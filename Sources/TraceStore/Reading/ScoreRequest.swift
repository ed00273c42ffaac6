internal import Common

/// The parameters of `GET /api/public/v2/scores`, and of the older `GET /api/public/scores`.
struct ScoreRequest {
    /// The one of Langfuse's APIs that is spoken.
    enum API {
        /// Scores of traces alone, without corrections.
        case v1
        case v2
    }

    var query: ScoreQuery
    /// From 1.
    var page: Int
    /// Whether each score has its trace's user, tags and environment.
    var showsTraces = true

    init(_ parameters: QueryParameters, project: Int64, api: API) throws(LangfuseError) {
        query = ScoreQuery(project: project)
        let pages = try PageParameters(parameters)
        (page, query.limit, query.offset) = (pages.page, pages.limit, pages.offset)
        query.tracesOnly = api == .v1
        if api == .v2, let fields = parameters["fields"] {
            let names = fields.split(separator: ",").map(\.withoutSpaces)
            guard names.contains("score") else { throw .invalidRequest("Scores needs to be selected always.") }
            showsTraces = names.contains("trace")
        }
        query.readsTraces = showsTraces
        let filter =
            try parameters["filter"].map { text throws(LangfuseError) in try FilterParameter.conditions(text) } ?? []
        let named = Set(filter.map(\.column))
        let simple = try Self.simple(parameters, api)
        guard showsTraces || !simple.contains(where: { [.user, .tags].contains($0.column) }) else {
            throw .invalidRequest(
                "Cannot filter by trace properties (userId, traceTags) when 'trace' field is not included. Please add "
                    + "'trace' to the fields parameter or remove trace filters.")
        }
        query.conditions = filter + simple.filter { !named.contains($0.column) }
    }

    private static func simple(_ parameters: QueryParameters, _ api: API) throws(LangfuseError) -> [Condition] {
        var columns: [Condition.Column] = [.user, .name, .configID, .queueID]
        if api == .v2 { columns += [.traceID, .session, .datasetRunID] }
        var conditions = columns.compactMap { column in
            parameters[column.rawValue].map { Condition(column: column, test: .equals($0)) }
        }
        // Where it is about scores, `sessionId` is the session that is scored.
        if api == .v2, let ids = parameters.values("observationId") {
            conditions.append(Condition(column: .observationID, test: .anyOf(ids)))
        }
        if let ids = parameters.values("scoreIds") { conditions.append(Condition(column: .id, test: .anyOf(ids))) }
        for (column, names) in [
            (Condition.Column.dataType, Score.DataType.allCases.map(\.rawValue)),
            (.source, Score.Source.allCases.map(\.rawValue)),
        ] {
            guard let given = parameters[column.rawValue] else { continue }
            guard names.contains(given) else {
                throw .invalidParameter(column.rawValue, "must be one of \(names.joined(separator: ", "))")
            }
            conditions.append(Condition(column: column, test: .equals(given)))
        }
        if let tags = parameters.list("traceTags") { conditions.append(Condition(column: .tags, test: .allOf(tags))) }
        if let environments = parameters.list("environment") {
            conditions.append(Condition(column: .environment, test: .anyOf(environments)))
        }
        if let from = try parameters.time("fromTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.atLeast, Double(from))))
        }
        if let to = try parameters.time("toTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.less, Double(to))))
        }
        if let value = try value(parameters) { conditions.append(value) }
        return conditions
    }

    private static func value(_ parameters: QueryParameters) throws(LangfuseError) -> Condition? {
        var comparison = Condition.Comparison.equal
        if let given = parameters["operator"] {
            guard let known = Condition.Comparison.named(given) else {
                let names = Condition.Comparison.allCases.map(\.rawValue).joined(separator: " ")
                throw .invalidParameter("operator", "must be one of \(names)")
            }
            comparison = known
        }
        guard let value = try parameters.number("value") else { return nil }
        return Condition(column: .value, test: .compares(comparison, value))
    }
}

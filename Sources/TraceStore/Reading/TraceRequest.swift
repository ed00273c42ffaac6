internal import Common

/// The parameters of `GET /api/public/traces`.
struct TraceRequest {
    /// The groups of members that can be asked for.
    enum FieldGroup: String, CaseIterable {
        case core, io, scores, observations, metrics
    }

    var query: TraceQuery
    var groups: Set<FieldGroup>

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        query = TraceQuery(project: project)
        let pages = try PageParameters(parameters)
        (query.page, query.limit) = (pages.page, pages.limit)
        groups =
            parameters["fields"].map { text in
                Set(text.split(separator: ",").compactMap { FieldGroup.named($0.withoutSpaces) } + [.core])
            } ?? Set(FieldGroup.allCases)
        if let order = parameters["orderBy"] {
            let parts = order.split(separator: ".").map(String.init)
            guard parts.count == 2, let field = TraceQuery.Order.named(parts[0]),
                ["asc", "desc"].contains(parts[1].lowercased())
            else {
                throw .invalidParameter("orderBy", "must be a field and a direction, such as timestamp.desc")
            }
            query.order = field
            query.isAscending = parts[1].lowercased() == "asc"
        }
        let filter =
            try parameters["filter"].map { text throws(LangfuseError) in try FilterParameter.conditions(text) } ?? []
        let named = Set(filter.map(\.column))
        query.conditions = filter + (try Self.simple(parameters).filter { !named.contains($0.column) })
    }

    private static func simple(_ parameters: QueryParameters) throws(LangfuseError) -> [Condition] {
        let columns: [Condition.Column] = [.user, .name, .session, .version, .release]
        var conditions = columns.compactMap { column in
            parameters[column.rawValue].map { Condition(column: column, test: .equals($0)) }
        }
        if let tags = parameters.list("tags") { conditions.append(Condition(column: .tags, test: .allOf(tags))) }
        if let environments = parameters.list("environment") {
            conditions.append(Condition(column: .environment, test: .anyOf(environments)))
        }
        if let from = try parameters.time("fromTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.atLeast, Double(from))))
        }
        if let to = try parameters.time("toTimestamp") {
            conditions.append(Condition(column: .timestamp, test: .compares(.less, Double(to))))
        }
        return conditions
    }
}

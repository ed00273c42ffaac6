internal import Common

/// The parameters of `GET /api/public/v2/observations`.
struct ObservationRequest {
    /// The groups of members that can be asked for.
    enum FieldGroup: String, CaseIterable {
        case core, basic, time, io, metadata, model, usage, prompt, metrics, traceContext = "trace_context"
    }

    static let maximumLimit = 1000

    var query: ObservationQuery
    var groups: Set<FieldGroup>
    /// Members of the metadata that are wanted whole.
    var expanded: Set<UTF8Text>

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        query = ObservationQuery(project: project)
        query.limit = try parameters.int("limit", in: 0...Self.maximumLimit, default: 50)
        guard try parameters.bool("parseIoAsJson") != true else {
            throw .invalidParameter(
                "parseIoAsJson", "is no longer supported: input and output are strings, as they were given")
        }
        if let text = parameters["cursor"] {
            guard let cursor = ObservationCursor(text) else { throw .invalidRequest("Invalid cursor format") }
            query.cursor = cursor
        }
        groups = Self.groups(parameters["fields"])
        expanded = Set(parameters["expandMetadata"]?.split(separator: ",").map { UTF8Text($0) } ?? [])
        query.readsContent = groups.contains(.io) || groups.contains(.metadata)
        query.conditions = try Self.conditions(parameters)
    }

    private static func groups(_ text: String?) -> Set<FieldGroup> {
        guard let text else { return [.core, .basic] }
        return Set(text.split(separator: ",").compactMap { FieldGroup.named($0.withoutSpaces) } + [.core])
    }

    /// The conditions of the filter, and those of the simple parameters on columns that the filter does not name.
    static func conditions(_ parameters: QueryParameters) throws(LangfuseError) -> [Condition] {
        let filter =
            try parameters["filter"].map { text throws(LangfuseError) in try FilterParameter.conditions(text) } ?? []
        let named = Set(filter.map(\.column))
        return filter + (try simple(parameters).filter { !named.contains($0.column) })
    }

    private static func simple(_ parameters: QueryParameters) throws(LangfuseError) -> [Condition] {
        let columns: [Condition.Column] = [.name, .user, .session, .type, .traceID, .level, .version]
        var conditions = columns.compactMap { column in
            parameters[column.rawValue].map { Condition(column: column, test: .equals($0)) }
        }
        if let parent = parameters.raw(Condition.Column.parentID.rawValue) {
            conditions.append(Condition(column: .parentID, test: parent.isEmpty ? .isNull(true) : .equals(parent)))
        }
        if let isRoot = try parameters.bool(Condition.Column.isRoot.rawValue) {
            conditions.append(Condition(column: .isRoot, test: .isTrue(isRoot)))
        }
        if let environments = parameters.list("environment") {
            conditions.append(Condition(column: .environment, test: .anyOf(environments)))
        }
        if let from = try parameters.time("fromStartTime") {
            conditions.append(Condition(column: .start, test: .compares(.atLeast, Double(from))))
        }
        if let to = try parameters.time("toStartTime") {
            conditions.append(Condition(column: .start, test: .compares(.less, Double(to))))
        }
        return conditions
    }
}

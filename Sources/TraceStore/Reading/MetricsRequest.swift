internal import Common
internal import JSON

/// The parameters of `GET /api/public/v2/metrics`. The store counts observations: no other measure, no dimensions.
struct MetricsRequest {
    var query: ObservationQuery

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        guard let text = parameters["query"], let object = EmbeddedJSON.scan(text) else {
            throw .invalidParameter("query", "must be a JSON object")
        }
        guard object.text("view") == "observations" else {
            throw .invalidRequest("the embedded trace store has only the view `observations`")
        }
        guard try Self.isCount(object), Self.isEmpty(object, "dimensions"),
            object.member("timeDimension").map({ $0.kind == .null }) ?? true
        else {
            throw .invalidRequest(
                "the embedded trace store answers only one metric, `count` of `count`, without dimensions")
        }
        query = ObservationQuery(project: project)
        if let filters = object.member("filters"), filters.kind != .null {
            guard let elements = object.elements(filters) else {
                throw .invalidRequest("filters must be a list of conditions")
            }
            query.conditions = try FilterParameter.conditions(object, elements)
        }
        for (name, comparison) in [("fromTimestamp", Condition.Comparison.atLeast), ("toTimestamp", .less)] {
            guard let time = object.text(name).flatMap(TimeText.milliseconds) else {
                throw .invalidParameter("query", "\(name) must be an ISO 8601 time with an offset")
            }
            query.conditions.append(Condition(column: .start, test: .compares(comparison, Double(time))))
        }
    }

    private static func isCount(_ object: JSONObject) throws(LangfuseError) -> Bool {
        guard let metrics = object.member("metrics"), let elements = object.elements(metrics), elements.count == 1,
            elements[0].kind == .object,
            let metric = try? JSONObject.scan(object.bytes, range: elements[0].value, maximumDepth: .max)
        else { return false }
        return metric.text("measure") == "count" && metric.text("aggregation") == "count"
    }

    private static func isEmpty(_ object: JSONObject, _ name: String) -> Bool {
        guard let member = object.member(name), member.kind != .null else { return true }
        return object.elements(member)?.isEmpty ?? false
    }
}

internal import Common
internal import JSON

extension JSONWriter {
    /// The name of rows without a value.
    private static let none = "(none)"
    /// The name of the groups that have no place of their own in the answer.
    private static let other = "(other)"

    mutating func metrics(_ result: MetricsResult, of query: MetricsQuery, project: String) {
        object { writer in
            writer.member("from", (query.filter.from ?? .epoch).iso8601)
            writer.member("to", (query.filter.to ?? .epoch).iso8601)
            writer.member("interval_ms", query.interval.map { Double($0) })
            writer.member("measures") { $0.texts(query.measures.map(\.name)) }
            writer.member("group_by") { $0.texts(query.groups.map(\.name)) }
            writer.member("total") { $0.values(result.total, of: query) }
            writer.member("groups") { writer in
                writer.array(result.groups) { $0.group($1, of: query) }
            }
        }
    }

    private mutating func group(_ group: MetricsResult.Group, of query: MetricsQuery) {
        object { writer in
            writer.member("group") { writer in
                writer.object { writer in
                    for (index, property) in query.groups.enumerated() {
                        let label = group.name.map { $0.values[index]?.text ?? Self.none } ?? Self.other
                        writer.member(property.name, label)
                    }
                }
            }
            // A value may itself read `(none)`; this says for which properties there is none.
            if let name = group.name, name.values.contains(where: { $0 == nil }) {
                let absent = zip(query.groups, name.values).filter { $0.1 == nil }.map(\.0.name)
                writer.member("absent") { $0.texts(absent) }
            }
            if group.name == nil { writer.member("is_other", true) }
            writer.member("total") { $0.values(group.total, of: query) }
            guard query.interval != nil else { return }
            writer.member("points") { writer in
                writer.array(group.points) { writer, point in
                    writer.object { writer in
                        writer.member("time", point.time.iso8601)
                        writer.members(point.values, of: query)
                    }
                }
            }
        }
    }

    private mutating func values(_ values: MetricsResult.Values, of query: MetricsQuery) {
        object { $0.members(values, of: query) }
    }

    private mutating func members(_ values: MetricsResult.Values, of query: MetricsQuery) {
        for (measure, value) in zip(query.measures, values) { member(measure.name, value) }
    }
}

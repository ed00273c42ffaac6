internal import Common
internal import JSON

/// Writes the queries of Langfuse's read APIs: parameters, and the JSON conditions of `filter`.
struct LangfuseTarget {
    private(set) var text: String

    init(path: String) { text = path }

    mutating func add(_ name: String, _ value: String) {
        text += text.contains("?") ? "&" : "?"
        text += "\(name)=\(PercentEncoding.segment(value))"
    }

    mutating func add(_ name: String, _ value: Int) { add(name, String(value)) }

    /// Adds the one condition: that `column` is, or holds, any of `values`.
    mutating func add(condition type: String, on column: String, anyOf values: [String]) {
        var writer = JSONWriter()
        writer.array(CollectionOfOne(values)) { writer, values in
            writer.object { writer in
                writer.member("type", type)
                writer.member("column", column)
                writer.member("operator", "any of")
                writer.member("value") { $0.array(values) { $0.string($1) } }
            }
        }
        add("filter", String(decoding: writer.bytes, as: UTF8.self))
    }

    /// Adds the condition for a selection.
    /// - Parameter idColumn: what the API calls the trace's id.
    mutating func add(_ selection: StoreQuery.Selection, by identity: TraceIdentity, idColumn: String) {
        switch (selection, identity) {
        case (.rollout(let rollout), _): add(condition: "arrayOptions", on: "tags", anyOf: ["rollout_id:\(rollout)"])
        case (.ids(let ids), .traceID): add(condition: "stringOptions", on: idColumn, anyOf: ids.map(\.hex))
        case (.ids(let ids), .tag): add(condition: "arrayOptions", on: "tags", anyOf: ids.map { "insertion_id:\($0)" })
        }
    }
}

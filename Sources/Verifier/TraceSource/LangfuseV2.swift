internal import Common
internal import JSON

/// `GET /api/public/v2/observations`: a row is one observation with its trace's tags, and a completion is one
/// row.
struct LangfuseV2 {
    let identity: TraceIdentity

    /// Path and query of a page.
    func target(_ query: TraceQuery, cursor: String?, limit: Int) -> String {
        var target = LangfuseFilter(path: "/api/public/v2/observations")
        target.add("fields", fields(query.detail))
        target.add("limit", limit)
        target.add("fromStartTime", query.window.start.iso8601)
        target.add("toStartTime", query.window.end.iso8601)
        target.add(query.selection, by: identity, idColumn: "traceId")
        if query.detail == .body, !query.wholeMetadata.isEmpty {
            target.add("expandMetadata", query.wholeMetadata.sorted().map(\.text).joined(separator: ","))
        }
        if let cursor { target.add("cursor", cursor) }
        return target.text
    }

    /// The groups of members that are asked for: only those that are used. A row of the first group alone takes half of
    /// one with the trace's.
    private func fields(_ detail: TraceQuery.Detail) -> String {
        switch (detail, identity) {
        case (.id, .traceID): "core"
        case (.id, .tag): "core,trace_context"
        case (.head, _): "core,basic,trace_context"
        case (.body, _): "core,basic,io,metadata,model,usage,trace_context"
        }
    }

    /// Nil if the answer is not of the API's form.
    /// - Parameter whole: names of metadata that were asked for whole.
    func page(_ bytes: [UInt8], detail: TraceQuery.Detail, whole: Set<UTF8Text> = []) -> TracePage? {
        guard let answer = LangfuseJSON(bytes), let rows = answer.objects("data") else { return nil }
        let cursor = answer.nested("meta")?.text("cursor")
        // A comma would end the name in `expandMetadata`.
        let cut =
            detail == .body ? rows.reduce(into: Set<UTF8Text>()) { $0.formUnion(StoredMetadata(of: $1).cut()) } : []
        return TracePage(
            rows: rows.filter(isCompletion).map { row($0, detail, whole: whole) },
            next: cursor.map { .opaque($0) }, bytes: bytes.count,
            cutMetadata: cut.filter { !$0.text.utf8.contains(UInt8(ascii: ",")) })
    }

    /// Whether a row is a completion: spans below those that the gateway makes are its attempts.
    private func isCompletion(_ json: LangfuseJSON) -> Bool {
        identity == .tag || (json.text("parentObservationId") ?? "").isEmpty
    }

    private func row(_ json: LangfuseJSON, _ detail: TraceQuery.Detail, whole: Set<UTF8Text>) -> TraceRow {
        var head = TraceHead()
        head.traceID = json.text("traceId") ?? ""
        if detail > .id || identity == .tag { head.tags = json.texts("tags") ?? [] }
        let ids = identity.ids(traceID: head.traceID, tags: head.tags)
        guard detail > .id else { return TraceRow(ids: ids, head: head) }
        head.name = json.text("traceName") ?? json.text("name")
        head.userID = json.text("userId")
        head.sessionID = json.text("sessionId")
        head.environment = json.text("environment")
        head.version = json.text("version")
        head.release = json.text("release")
        head.timestamp = json.text("startTime")
        guard detail == .body else { return TraceRow(ids: ids, head: head) }
        let observation = TraceBody.Observation(json)
        let metadata = StoredMetadata(of: json)
        let body = TraceBody(
            input: observation.input, output: observation.output, metadata: metadata.withoutStumps(whole: whole),
            finishReasons: metadata.finishReasons, observations: [observation])
        return TraceRow(ids: ids, head: head, body: body)
    }
}

extension TraceBody.Observation {
    /// Reads an observation: its members have the same names in both APIs, but the model's, for which the second one
    /// has a further name.
    init(_ json: LangfuseJSON) {
        self.init(
            id: json.value("id"), type: json.value("type"), name: json.value("name"),
            startTime: json.value("startTime"),
            endTime: json.value("endTime"), input: json.unwrapped("input"), output: json.unwrapped("output"),
            parentID: json.value("parentObservationId"), model: json.text("providedModelName") ?? json.text("model"),
            usage: StoredUsage.json(of: json), finishReasons: StoredMetadata(of: json).finishReasons)
    }
}

/// Writes the queries of Langfuse's read APIs: parameters, and the JSON conditions of `filter`.
struct LangfuseFilter {
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
    mutating func add(_ selection: TraceQuery.Selection, by identity: TraceIdentity, idColumn: String) {
        switch (selection, identity) {
        case (.rollout(let rollout), _): add(condition: "arrayOptions", on: "tags", anyOf: ["rollout_id:\(rollout)"])
        case (.ids(let ids), .traceID): add(condition: "stringOptions", on: idColumn, anyOf: ids.map(\.hex))
        case (.ids(let ids), .tag): add(condition: "arrayOptions", on: "tags", anyOf: ids.map { "insertion_id:\($0)" })
        }
    }
}

extension TraceIdentity {
    /// The completions that a row belongs to.
    func ids(traceID: String, tags: [String]) -> [InsertionID] {
        switch self {
        case .traceID: InsertionID(hex: traceID.utf8).map { [$0] } ?? []
        case .tag:
            tags.compactMap { $0.hasPrefix("insertion_id:") ? InsertionID($0.dropFirst("insertion_id:".count)) : nil }
        }
    }
}

internal import Common

/// `GET /api/public/v2/observations`: a row is one observation with its trace's tags, and a completion is one row.
struct LangfuseV2 {
    /// To so many characters a value of metadata is cut whose name the query does not have in `expandMetadata`.
    private static let shownMetadata = 200
    /// Metadata that Langfuse adds: it repeats the rest of the row, input and output included.
    private static let addedMetadata: Set<UTF8Text> = ["attributes", "resourceAttributes", "scope"]

    let identity: TraceIdentity

    /// Path and query of a page.
    func target(_ query: TraceQuery, cursor: String?, limit: Int) -> String {
        var target = LangfuseFilter(path: "/api/public/v2/observations")
        target.add("fields", fields(query.detail))
        target.add("limit", limit)
        target.add("fromStartTime", TimeText.iso(query.window.start))
        target.add("toStartTime", TimeText.iso(query.window.end))
        target.add(query.selection, by: identity, idColumn: "traceId")
        if query.detail == .body, !query.wholeMetadata.isEmpty {
            target.add("expandMetadata", query.wholeMetadata.sorted().map(\.text).joined(separator: ","))
        }
        if let cursor { target.add("cursor", cursor) }
        return target.text
    }

    /// Groups of members. None is asked for that is not used: a row of the first group alone takes half of one with the trace's.
    private func fields(_ detail: TraceQuery.Detail) -> String {
        switch (detail, identity) {
        case (.id, .traceID): "core"
        case (.id, .tag): "core,trace_context"
        case (.head, _): "core,basic,trace_context"
        case (.body, _): "core,basic,io,metadata,trace_context"
        }
    }

    /// Nil if the answer is not of the API's form.
    func page(_ bytes: [UInt8], detail: TraceQuery.Detail) -> TracePage? {
        guard let answer = StoreJSON(bytes), let rows = answer.objects("data") else { return nil }
        let cursor = answer.nested("meta")?.text("cursor")
        let cut = detail == .body ? Set(texts: rows.flatMap(cutMetadata)) : []
        return TracePage(rows: rows.map { row($0, detail) }, next: cursor.map { .opaque($0) }, bytes: bytes.count, cutMetadata: cut)
    }

    /// The server does not say what it has cut, so whatever has just that length may be.
    private func cutMetadata(of row: StoreJSON) -> [String] {
        guard let metadata = row.nested("metadata") else { return [] }
        return metadata.names.filter { name in
            // A comma would end the name in `expandMetadata`.
            guard !Self.addedMetadata.contains(name), !name.contains(","), let text = metadata.text(name) else { return false }
            return [text.utf8.count, text.utf16.count, text.unicodeScalars.count].contains(Self.shownMetadata)
        }
    }

    private func row(_ json: StoreJSON, _ detail: TraceQuery.Detail) -> TraceRow {
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
        let metadata = json.value("metadata")
        let body = TraceBody(input: observation.input, output: observation.output, metadata: metadata, observations: [observation])
        return TraceRow(ids: ids, head: head, body: body)
    }
}

extension TraceBody.Observation {
    /// Reads an observation: its members have the same names in both APIs.
    init(_ json: StoreJSON) {
        self.init(
            id: json.value("id"), type: json.value("type"), name: json.value("name"), startTime: json.value("startTime"),
            endTime: json.value("endTime"), input: json.unwrapped("input"), output: json.unwrapped("output"),
            parentID: json.value("parentObservationId"))
    }
}

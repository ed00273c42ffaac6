internal import Common

/// `GET /api/public/v2/observations`: a row is one observation with its trace's tags, and a completion is one
/// row.
struct LangfuseV2 {
    let identity: TraceIdentity

    /// Path and query of a page.
    func target(_ query: StoreQuery, cursor: String?, limit: Int) -> String {
        var target = LangfuseTarget(path: "/api/public/v2/observations")
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

    /// The groups of members to ask for, no more than are used: a row of `core` alone takes half the bytes of one with
    /// `trace_context`.
    private func fields(_ detail: StoreQuery.Detail) -> String {
        switch (detail, identity) {
        case (.id, .traceID): "core"
        case (.id, .tag): "core,trace_context"
        case (.head, _): "core,basic,trace_context"
        case (.body, _): "core,basic,io,metadata,model,usage,trace_context"
        }
    }

    /// Nil if the answer is not of the API's form.
    /// - Parameter whole: names of metadata that were asked for whole.
    func page(_ bytes: [UInt8], detail: StoreQuery.Detail, whole: Set<UTF8Text> = []) -> TracePage? {
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

    private func row(_ json: LangfuseJSON, _ detail: StoreQuery.Detail, whole: Set<UTF8Text>) -> FetchedTrace {
        var head = TraceHead()
        head.traceID = json.text("traceId") ?? ""
        if detail > .id || identity == .tag { head.tags = json.texts("tags") ?? [] }
        let ids = identity.ids(traceID: head.traceID, tags: head.tags)
        guard detail > .id else { return FetchedTrace(ids: ids, head: head) }
        head.name = json.text("traceName") ?? json.text("name")
        head.userID = json.text("userId")
        head.sessionID = json.text("sessionId")
        head.environment = json.text("environment")
        head.version = json.text("version")
        head.release = json.text("release")
        head.timestamp = json.text("startTime")
        guard detail == .body else { return FetchedTrace(ids: ids, head: head) }
        let observation = TraceBody.Observation(json)
        let metadata = StoredMetadata(of: json)
        let body = TraceBody(
            input: observation.input, output: observation.output, metadata: metadata.withoutStumps(whole: whole),
            finishReasons: metadata.finishReasons, observations: [observation])
        return FetchedTrace(ids: ids, head: head, body: body)
    }
}

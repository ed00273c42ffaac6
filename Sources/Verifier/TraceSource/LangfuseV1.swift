internal import Common

/// `GET /api/public/traces` and `/api/public/traces/{id}`: a row is a trace. Observations and scores come only with a
/// trace that is asked for by itself.
struct LangfuseV1 {
    let identity: TraceIdentity

    /// Path and query of a page.
    /// - Parameter page: counted from 1.
    func target(_ query: StoreQuery, page: Int, limit: Int) -> String {
        var target = LangfuseTarget(path: "/api/public/traces")
        target.add("fields", query.detail == .body ? "core,io" : "core")
        target.add("page", page)
        target.add("limit", limit)
        target.add("fromTimestamp", query.window.start.iso8601)
        target.add("toTimestamp", query.window.end.iso8601)
        if case .rollout(let rollout) = query.selection, !rollout.utf8.contains(UInt8(ascii: ",")) {
            // What the oldest servers know. A single value is split at commas, so a name that holds one needs the
            // filter.
            target.add("tags", "rollout_id:\(rollout)")
        } else {
            target.add(query.selection, by: identity, idColumn: "id")
        }
        return target.text
    }

    /// Path of one trace with its observations.
    func target(trace: String) -> String { "/api/public/traces/\(PercentEncoding.segment(trace))" }

    /// Nil if the answer is not of the API's form.
    func page(_ bytes: [UInt8], detail: StoreQuery.Detail, page: Int, limit: Int) -> TracePage? {
        guard let answer = LangfuseJSON(bytes), let rows = answer.objects("data") else { return nil }
        let total = answer.nested("meta")?.count("totalPages")
        let isLast = rows.isEmpty || total.map { page >= $0 } ?? (rows.count < limit)
        return TracePage(
            rows: rows.map { row($0, detail) }, next: isLast ? nil : .page(page + 1, rows: limit), bytes: bytes.count)
    }

    /// The row of a trace that was asked for by itself. Nil if the answer is not of the API's form.
    func trace(_ bytes: [UInt8]) -> FetchedTrace? {
        guard let answer = LangfuseJSON(bytes), answer.text("id") != nil else { return nil }
        var trace = row(answer, .body)
        trace.scores = LangfuseScores().scores(of: answer)
        return trace
    }

    private func row(_ json: LangfuseJSON, _ detail: StoreQuery.Detail) -> FetchedTrace {
        var head = TraceHead()
        head.traceID = json.text("id") ?? ""
        head.tags = json.texts("tags") ?? []
        let ids = identity.ids(traceID: head.traceID, tags: head.tags)
        guard detail > .id else { return FetchedTrace(ids: ids, head: head) }
        head.name = json.text("name")
        head.userID = json.text("userId")
        head.sessionID = json.text("sessionId")
        head.environment = json.text("environment")
        head.version = json.text("version")
        head.release = json.text("release")
        head.timestamp = json.text("timestamp")
        guard detail == .body else { return FetchedTrace(ids: ids, head: head) }
        let observations = json.objects("observations") ?? []
        var body = TraceBody(
            input: json.unwrapped("input"), output: json.unwrapped("output"), metadata: json.value("metadata"),
            finishReasons: StoredMetadata(of: json).finishReasons,
            observations: observations.map(TraceBody.Observation.init))
        // A server of version 3 fills the trace's own input and output from attributes that the gateway does not send
        // twice.
        if let first = body.observations.first {
            if body.input == LangfuseJSON.null { body.input = first.input }
            if body.output == LangfuseJSON.null { body.output = first.output }
        }
        return FetchedTrace(ids: ids, head: head, body: body)
    }
}

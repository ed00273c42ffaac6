internal import Common
internal import JSON

/// One rollout: its verdict, what is missing, its completions, and what its server said.
struct RolloutPage {
    struct Missing {
        var missingID: String
        var missingLink: String
    }

    struct LogLine {
        var logISO: String
        var logTime: String
        var logSeverity: String
        var logMessage: String
    }

    struct View {
        var rolloutName: String
        var progress: ProgressView
        var progressLink: String
        var checkedISO: String
        var checkedText: String
        var reason: String?
        var missingIDs: [Missing]
        var hasMissing: Bool
        var rows: [RequestRowView]
        var hasRows: Bool
        var requestsLink: String
        var metricsLink: String
        var logLines: [LogLine]
        var hasLog: Bool
        var listLink: String
        var tracesPath: String
        var waitCommand: String
    }

    /// Completions and lines of the log that the page shows.
    private static let rows = 100
    private static let lines = 100

    let request: PageRequest
    let name: String

    init(_ request: PageRequest, name: String) {
        self.request = request
        self.name = name
    }

    func contents() async throws(GatewayError) -> Contents {
        let links = request.links
        let verdict = try await verdict()
        let form = FilterForm().adding(FilterTerm("rollout", nil, name))
        let rows = try? LoggedRequest.page(
            try await request.source.get(
                "/logs/requests", query: FilterForm.query(form.items + [("limit", String(Self.rows))]))
        ).rows
        let lines = await logLines()
        let progress = RolloutProgress(verdict: verdict)
        let missing = verdict.texts("missing")
        let checked = verdict.text("checked_at") ?? ""
        let view = View(
            rolloutName: name, progress: ProgressView(progress), progressLink: links.progress(name),
            checkedISO: checked,
            checkedText: Self.age(checked, now: request.now), reason: verdict.text("reason"),
            missingIDs: missing.map { Missing(missingID: $0, missingLink: links.request($0)) },
            hasMissing: !missing.isEmpty,
            rows: (rows ?? []).map { RequestRowView($0, links: links, form: form) }, hasRows: !(rows ?? []).isEmpty,
            requestsLink: links.requests(form.query), metricsLink: links.metrics(form.query), logLines: lines,
            hasLog: !lines.isEmpty, listLink: links.rollouts(),
            tracesPath: "/project_id/\(PercentEncoding.segment(request.project))/traces?"
                + FilterForm.query([("tags", "rollout_id:\(name)")]),
            waitCommand: "metadata-gateway wait \(CurlText.quoted(name))")
        return .page(
            PageContents(
                title: name, section: .rollouts, template: "rollout", view: view,
                refresh: progress.verdict == "complete" ? 15 : 3))
    }

    /// The bar alone.
    func progress() async throws(GatewayError) -> Contents {
        .fragment(template: "progress", view: ProgressView(RolloutProgress(verdict: try await verdict())))
    }

    private func verdict() async throws(GatewayError) -> JSONObject {
        try JSONObject.answer(try await request.source.get("/rollouts/" + PercentEncoding.segment(name), query: nil))
    }

    private func logLines() async -> [LogLine] {
        let query = FilterForm.query([("tags", "rollout_id:\(name)"), ("limit", String(Self.lines))])
        guard let bytes = try? await request.source.get("/logs", query: query),
            let answer = try? JSONObject.answer(bytes)
        else { return [] }
        return answer.objects("entries").map { entry in
            let time = entry.text("timestamp") ?? ""
            var message = entry.text("message") ?? ""
            if let status = entry.nested("status"), message.isEmpty { message = status.indented(status.braces) }
            return LogLine(
                logISO: time, logTime: Figures.time(time), logSeverity: entry.text("severity") ?? "",
                logMessage: message)
        }
    }

    /// How long ago a moment was.
    static func age(_ iso: String, now: UInt64) -> String {
        guard let time = TimeText.milliseconds(iso).flatMap({ UInt64(exactly: $0) }) else { return "" }
        let age = Double(now > time ? now - time : 0)
        return age < 1500 ? "just now" : Figures.duration((age / 1000).rounded() * 1000) + " ago"
    }
}

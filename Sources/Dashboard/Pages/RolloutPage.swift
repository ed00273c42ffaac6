internal import Common
internal import JSON

/// One rollout: its verdict, what is missing, its completions, and what its server said.
struct RolloutPage {
    /// A completion whose trace is not there yet.
    struct Open {
        var openID: String
        var openLink: String
        var openISO: String
        var openAge: String
        var openTone: String
        var openState: String
        var openReason: String
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
        var checkedISO: String
        var checkedText: String
        var reason: String?
        var open: [Open]
        var hasOpen: Bool
        var moreOpen: String?
        var rows: [RequestRowView]
        var hasRows: Bool
        /// Said where there are more than are shown.
        var moreRows: String?
        /// To the next older ones.
        var olderLink: String?
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
        let verdict = try await request.verdict(of: name)
        let form = FilterForm().adding(FilterTerm("rollout", value: name))
        let found = try? LoggedRequest.page(
            try await request.source.get(
                "/logs/requests", query: FilterForm.query(form.items + [("limit", String(Self.rows))])))
        let rows = found?.rows
        // The charts begin with the oldest completion that is shown.
        var charted = form
        charted.range.from = rows?.last?.time
        let lines = await logLines()
        let progress = RolloutProgress(verdict: verdict)
        var (open, leftOut) = ([Open](), 0.0)
        if progress.verdict != "complete" { (open, leftOut) = await self.open(beside: verdict.texts("missing")) }
        let checked = verdict.text("checked_at") ?? ""
        let view = View(
            rolloutName: name, progress: ProgressView(progress), checkedISO: checked,
            checkedText: Self.age(checked, now: request.now), reason: verdict.text("reason"),
            open: open, hasOpen: !open.isEmpty, moreOpen: leftOut > 0 ? "and \(Figures.count(leftOut)) more" : nil,
            // In the order in which they came, as the ids that are open are.
            rows: (rows ?? []).reversed().map { RequestRowView($0, links: links, form: form) },
            hasRows: !(rows ?? []).isEmpty,
            moreRows: found?.next == nil ? nil : "the newest \(rows?.count ?? 0); there are older ones",
            olderLink: found?.next.map { links.requests(FilterForm.query(form.items + [("cursor", $0)])) },
            requestsLink: links.requests(form.query), metricsLink: links.metrics(charted.query), logLines: lines,
            hasLog: !lines.isEmpty, listLink: links.rollouts(),
            tracesPath: "/project_id/\(PercentEncoding.segment(request.project))/traces?"
                + FilterForm.query([("tags", "rollout_id:\(name)")]),
            waitCommand: "metadata-gateway wait \(CurlText.quoted(name))")
        return .page(
            PageContents(
                title: name, section: .rollouts, template: "rollout", view: view,
                refresh: progress.verdict == "complete" ? 15 : 3))
    }

    /// Completions that were not seen in the trace store, in their order.
    /// - Parameter missing: the verdict's.
    private func open(beside missing: [String]) async -> (open: [Open], leftOut: Double) {
        let path = "/rollouts/\(PercentEncoding.segment(name))/open"
        let answer = (try? await request.source.get(path, query: nil)).flatMap { try? JSONObject.answer($0) }
        let told = answer?.objects("open") ?? []
        let known = Set(told.compactMap { $0.text("insertion_id").map { UTF8Text($0) } })
        var found = told.compactMap { Open($0, now: request.now, links: request.links) }
        found += missing.filter { !known.contains(UTF8Text($0)) }.map { Open(missing: $0, links: request.links) }
        return (found, answer?.number("left_out") ?? 0)
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

    /// The age of a moment in words.
    static func age(_ iso: String, now: Timestamp) -> String {
        guard let time = Timestamp(iso8601: iso) else { return "" }
        let age = Double(now.milliseconds(since: time))
        return age < 1500 ? "just now" : Figures.duration((age / 1000).rounded() * 1000) + " ago"
    }
}

extension RolloutPage.Open {
    /// - Parameter object: one of `/rollouts/{rollout_id}/open`.
    init?(_ object: JSONObject, now: Timestamp, links: Links) {
        guard let id = object.text("insertion_id") else { return nil }
        openID = id
        openLink = links.request(id)
        openISO = object.text("since") ?? ""
        openAge = RolloutPage.age(openISO, now: now)
        (openTone, openState, openReason) = Self.words(object.text("stage"))
    }

    /// One that the verdict calls missing, and of which nothing else is known.
    init(missing id: String, links: Links) {
        (openID, openLink, openISO, openAge) = (id, links.request(id), "", "")
        (openTone, openState, openReason) = Self.words("missing")
    }

    private static func words(_ stage: String?) -> (tone: String, state: String, reason: String) {
        switch stage.map({ UTF8Text($0) }) {
        case "queued": ("quiet", "in flight", "it waits in the queue, or its call has not answered yet")
        case "running": ("quiet", "in flight", "its answer has begun")
        case "waits": ("warn", "ended", "its trace waits to be sent to the trace store")
        case "accepted": ("warn", "ended", "the trace store took its trace, and does not show it yet")
        case "proxy": ("bad", "missing", "the LiteLLM proxy has not written its trace")
        default:
            (
                "bad", "missing",
                "it ended, and its trace is not to be found: it was given up, or lost with Redis or the trace store"
            )
        }
    }
}

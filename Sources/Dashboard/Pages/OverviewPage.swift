internal import Common
internal import JSON

/// The state of the gateway: figures of a time, the latest failures, and the newest rollouts.
struct OverviewPage {
    struct Tile {
        var tileName: String
        var tileValue: String
        var tileNote: String
        var tileLink: String
        var tileTone: String
        /// Nil: it has no past.
        var spark: String?
        var sparkColour: String
    }

    struct RangeLink {
        var rangeLabel: String
        var rangeLink: String
        var isActive: Bool
    }

    struct View {
        var tiles: [Tile]
        /// As the gateway is now; none where that cannot be told.
        var gatewayTiles: [Tile]
        var hasGatewayTiles: Bool
        var rangeLinks: [RangeLink]
        var charts: [ChartView]
        var errorRows: [RequestRowView]
        var hasErrors: Bool
        var errorsLink: String
        var rollouts: [RolloutRowView]
        var hasRollouts: Bool
        var rolloutsLink: String
        var readyTone: String
        var readyText: String
        var warnings: [String]
        var isQuiet: Bool
        var projectPath: String
    }

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        var form = FilterForm()
        form.range.from = request.query.value("from") ?? MetricsPage.usualRange
        form.range.to = request.query.value("to")
        let (links, state) = (request.links, await readiness())
        let charts = try await MetricsPage.charts(form, by: nil, request)
        let failed = form.failed
        let errors = try LoggedRequest.page(
            try await request.source.get("/logs/requests", query: FilterForm.query(failed.items + [("limit", "6")])))
        let rollouts = await newestRollouts()
        let gateway = await gatewayTiles()
        let view = View(
            tiles: tiles(charts, form: form, failed: failed), gatewayTiles: gateway, hasGatewayTiles: !gateway.isEmpty,
            rangeLinks: TimeRange.presets.map { preset in
                RangeLink(
                    rangeLabel: preset.text, rangeLink: links.overview("from=\(preset.text)"),
                    isActive: form.range.isPreset && form.range.from == preset.text)
            }, charts: [charts.requests, charts.latency].map(\.view),
            errorRows: errors.rows.map { RequestRowView($0, links: links, form: form) },
            hasErrors: !errors.rows.isEmpty,
            errorsLink: links.requests(failed.query), rollouts: rollouts, hasRollouts: !rollouts.isEmpty,
            rolloutsLink: links.rollouts(), readyTone: state.tone, readyText: state.text, warnings: state.warnings,
            isQuiet: (charts.answer.total.number("requests") ?? 0) == 0,
            projectPath: "/project_id/" + PercentEncoding.segment(request.project))
        return .page(
            PageContents(
                title: "Overview", section: .overview, template: "overview", view: view,
                refresh: form.range.to == nil ? 10 : nil, showsMoreLive: rollouts.contains(where: \.isOpen)))
    }

    private func gatewayTiles() async -> [Tile] {
        guard let bytes = try? await request.source.get("/queue", query: nil), let answer = try? QueueResponse(bytes)
        else { return [] }
        return GatewayTiles(answer: answer, link: request.links.queue()).tiles
    }

    private func newestRollouts() async -> [RolloutRowView] {
        guard let bytes = try? await request.source.get("/rollouts", query: "limit=6"),
            let answer = try? JSONObject.answer(bytes)
        else { return [] }
        return await request.rolloutRows(answer.objects("rollouts"))
    }

    /// The answer of `/ready`, which tells the parts' trouble in words.
    private func readiness() async -> (tone: String, text: String, warnings: [String]) {
        do throws(GatewayError) {
            let answer = try JSONObject.answer(try await request.source.get("/ready", query: nil))
            let count = Int(answer.number("forwarders") ?? 0)
            let warnings = answer.texts("warnings")
            return (warnings.isEmpty ? "good" : "warn", "Ready · \(count) forwarder\(count == 1 ? "" : "s")", warnings)
        } catch {
            return ("bad", "Not ready", [error.message])
        }
    }

    /// - Parameter rate: in a second.
    private static func rate(_ rate: Double) -> String {
        rate >= 1 ? "\(Figures.significant(rate)) a second" : "\(Figures.significant(rate * 60)) a minute"
    }

    private func tiles(_ charts: MetricsCharts, form: FilterForm, failed: FilterForm) -> [Tile] {
        let (total, links) = (charts.answer.total, request.links)
        func number(_ name: String) -> Double { total.number(name) ?? 0 }
        func shown(_ name: String, _ show: (Double) -> String) -> String { total.number(name).map(show) ?? "–" }
        func spark(_ measures: String...) -> String {
            let points = charts.answer.times.map { charts.answer.groups.first?.points[$0] }
            return Sparkline.path(points.map { point in measures.reduce(0) { $0 + (point?.number($1) ?? 0) } })
        }
        let (requests, errors) = (number("requests"), number("errors"))
        let seconds = Double(max(charts.answer.to.milliseconds(since: charts.answer.from), 1)) / 1000
        return [
            Tile(
                tileName: "Requests", tileValue: Figures.compact(requests), tileNote: Self.rate(requests / seconds),
                tileLink: links.requests(form.query), tileTone: "", spark: spark("requests"), sparkColour: "1"),
            Tile(
                tileName: "Errors", tileValue: Figures.percent(errors, of: requests),
                tileNote: "\(Figures.count(errors)) requests", tileLink: links.requests(failed.query),
                tileTone: errors > 0 ? "bad" : "", spark: spark("errors"), sparkColour: "bad"),
            Tile(
                tileName: "Tokens", tileValue: Figures.compact(number("input_tokens") + number("output_tokens")),
                tileNote:
                    "\(Figures.compact(number("input_tokens"))) in, \(Figures.compact(number("output_tokens"))) out",
                tileLink: links.requests(form.query), tileTone: "", spark: spark("input_tokens", "output_tokens"),
                sparkColour: "2"),
            Tile(
                tileName: "Cost", tileValue: shown("cost", Figures.dollars), tileNote: "where prices are set",
                tileLink: links.requests(form.query), tileTone: "", spark: spark("cost"), sparkColour: "3"),
            Tile(
                tileName: "Latency p50", tileValue: shown("latency_p50", Figures.duration),
                tileNote: "p99 \(shown("latency_p99", Figures.duration))", tileLink: links.requests(form.query),
                tileTone: "",
                spark: spark("latency_p50"), sparkColour: "4"),
            Tile(
                tileName: "First token p50", tileValue: shown("time_to_first_token_p50", Figures.duration),
                tileNote: "p99 \(shown("time_to_first_token_p99", Figures.duration))",
                tileLink: links.requests(form.query),
                tileTone: "", spark: spark("time_to_first_token_p50"), sparkColour: "5"),
        ]
    }
}

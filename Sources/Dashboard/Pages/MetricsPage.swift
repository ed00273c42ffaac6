internal import Common
internal import JSON

/// The measurements of requests, over time and by a property.
struct MetricsPage {
    struct Row {
        var groupName: String
        var groupLink: String?
        var groupRequests: String
        var groupErrors: String
        var groupRate: String
        var groupTokens: String
        var groupCost: String
        var groupMedian: String
        var groupLast: String
    }

    struct View {
        var filters: FilterView
        var charts: [ChartView]
        var groupRows: [Row]
        var isGrouped: Bool
        var groupTitle: String
        var totalRow: Row?
        var hasNumbers: Bool
        var requestsLink: String
    }

    static let usualRange = TimeRange.usual

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let form = FilterForm(request.query, others: ["group_by"])
        let grouping = request.query.value("group_by") ?? ""
        guard !form.isSubmitted else {
            let query = FilterForm.query(
                form.items + (grouping.isEmpty ? [] : [("group_by", FilterTerm.property(grouping))]))
            return .redirect(request.links.metrics(query))
        }
        let keys = await request.metadataKeys()
        let property: String? = grouping.isEmpty ? nil : grouping
        let (charts, failure) = try await request.filtered { () throws(GatewayError) in
            try await Self.charts(form, by: property, request)
        }
        let links = request.links
        // What the charts count, which is not all that the log has where the query says no range.
        var charted = form
        charted.range = form.range.charted(now: request.now)
        var view = View(
            filters: FilterView(
                form, path: links.metrics(), links: links, keys: keys, usual: Self.usualRange, grouping: grouping,
                error: failure?.message),
            charts: [], groupRows: [], isGrouped: property != nil, groupTitle: grouping, hasNumbers: false,
            requestsLink: links.requests(charted.query))
        if let charts {
            view.charts = [
                charts.requests, charts.errors, charts.tokens, charts.cost, charts.latency, charts.firstToken,
            ].map(\.view)
            view.groupRows =
                property == nil
                ? [] : charts.answer.groups.map { Self.row($0.label, link: charts.link($0), total: $0.total) }
            view.totalRow = Self.row("All", link: links.requests(charted.query), total: charts.answer.total)
            view.hasNumbers = (charts.answer.total.number("requests") ?? 0) > 0
        }
        return .page(
            PageContents(
                title: "Metrics", section: .metrics, template: "metrics", view: view, status: failure?.status ?? 200,
                refresh: failure == nil && form.range.to == nil ? 15 : nil))
    }

    /// Asks for all charts at once.
    static func charts(
        _ form: FilterForm, by property: String?, _ request: PageRequest
    ) async throws(GatewayError) -> MetricsCharts {
        var asked = form
        asked.range = asked.range.charted(now: request.now)
        let length = asked.range.length(now: request.now) ?? 86_400_000
        var items =
            asked.items + [
                ("measures", MetricsCharts.measures.joined(separator: ",")),
                ("interval", TimeRange.interval(for: length)),
            ]
        if let property { items += [("group_by", property), ("limit", String(MetricsCharts.groups))] }
        let bytes = try await request.source.get("/metrics/query", query: FilterForm.query(items))
        return MetricsCharts(
            answer: try MetricsResponse(bytes, groupedBy: property), form: asked, links: request.links,
            property: property
        )
    }

    private static func row(_ name: String, link: String?, total: JSONObject) -> Row {
        let (requests, errors) = (total.number("requests") ?? 0, total.number("errors") ?? 0)
        return Row(
            groupName: name, groupLink: link, groupRequests: Figures.count(requests),
            groupErrors: Figures.count(errors),
            groupRate: Figures.percent(errors, of: requests),
            groupTokens: Figures.compact((total.number("input_tokens") ?? 0) + (total.number("output_tokens") ?? 0)),
            groupCost: total.number("cost").map(Figures.dollars) ?? "–",
            groupMedian: total.number("latency_p50").map(Figures.duration) ?? "–",
            groupLast: total.number("latency_p99").map(Figures.duration) ?? "–")
    }
}

extension FilterTerm {
    /// A property as queries name it: what no row has of itself is a key of metadata.
    static func property(_ name: String) -> String {
        name == "project" ? name : FilterTerm(formName: name, operation: "eq", value: "")?.name ?? name
    }
}

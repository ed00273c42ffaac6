internal import Common

/// The request log as a table with filters.
struct RequestsPage {
    struct View {
        var filters: FilterView
        var rows: [RequestRowView]
        var hasRows: Bool
        var isFiltered: Bool
        var isLater: Bool
        var newestLink: String
        var olderLink: String?
        var metricsLink: String
        var exportLink: String
        var curlExample: String
    }

    /// Rows of a page.
    static let rows = 50

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let form = FilterForm(request.query, others: ["cursor"])
        guard !form.isSubmitted else { return .redirect(request.links.requests(form.query)) }
        let cursor = request.query.value("cursor")
        let keys = await request.metadataKeys()
        var items = form.items + [("limit", String(Self.rows))]
        if let cursor { items.append(("cursor", cursor)) }
        let (answer, failure) = try await request.filtered { () throws(GatewayError) in
            try LoggedRequest.page(try await request.source.get("/logs/requests", query: FilterForm.query(items)))
        }
        let found = answer ?? (rows: [], next: nil)
        let links = request.links
        // Charts begin somewhere. Where the range does not say, they begin with the oldest row that was read.
        var charted = form
        if charted.range.from == nil { charted.range.from = found.rows.last?.time }
        let view = View(
            filters: FilterView(
                form, path: links.requests(), links: links, keys: keys, usual: nil, error: failure?.message),
            rows: found.rows.map { RequestRowView($0, links: links, form: form) },
            hasRows: !found.rows.isEmpty, isFiltered: !form.terms.isEmpty || form.range != TimeRange(),
            isLater: cursor != nil, newestLink: links.requests(form.query),
            olderLink: found.next.map { links.requests(FilterForm.query(form.items + [("cursor", $0)])) },
            metricsLink: links.metrics(charted.query), exportLink: "/v1/logs/requests",
            curlExample: "curl $GATEWAY_URL/v1/chat/completions -H 'x-tfy-metadata: {\"customer-id\":\"acme\"}' …")
        return .page(
            PageContents(
                title: "Requests", section: .requests, template: "requests", view: view, status: failure?.status ?? 200,
                refresh: cursor == nil && failure == nil && form.range.to == nil ? 5 : nil))
    }
}

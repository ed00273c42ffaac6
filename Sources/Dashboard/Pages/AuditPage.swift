internal import Common
internal import JSON

/// The audit log: what was done to the gateway, and what it noticed.
struct AuditPage {
    struct Detail {
        var detailName: String
        var detailValue: String
    }

    struct Row {
        var auditISO: String
        var auditTime: String
        var auditKind: String
        var kindLink: String
        var auditSubject: String
        /// The request that the subject is.
        var subjectLink: String?
        var auditAccount: String
        var auditActor: String
        var auditProject: String
        var details: [Detail]
    }

    struct View {
        var formAction: String
        var kinds: [FilterView.Choice]
        var subject: String
        var account: String
        var user: String
        var ranges: [FilterView.Choice]
        var kept: [FilterView.Kept]
        var clearLink: String?
        var auditError: String?
        var rows: [Row]
        var hasRows: Bool
        var isFiltered: Bool
        var isLater: Bool
        var newestLink: String
        var olderLink: String?
    }

    /// Rows of a page.
    static let rows = 50
    private static let fields = ["kind", "subject", "account", "user", "from"]

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let links = request.links
        let cursor = request.query.value("cursor")
        let sent = request.query.items.filter { $0.name != "cursor" }
        // The form carries filters without a field of their own, percent-encoded.
        let asked = sent.flatMap { item in
            item.name == "filter" ? (try? QueryItems(item.value).items) ?? [item] : [item]
        }
        // A form sends its empty fields too; an address that is shared has none.
        let items = asked.filter { !$0.value.isEmpty || $0.name.hasSuffix("]") }
        let isSubmitted = items.count != asked.count || sent.contains { $0.name == "filter" }
        guard !isSubmitted else { return .redirect(links.audit(FilterForm.query(items))) }
        var page = items + [("limit", String(Self.rows))]
        if let cursor { page.append(("cursor", cursor)) }
        let (found, failure) = try await request.filtered { () throws(GatewayError) in
            try JSONObject.answer(try await request.source.get("/logs/audit", query: FilterForm.query(page)))
        }
        let rows = found?.objects("data").map { Row($0, links: links) } ?? []
        let form = FilterForm.query(items)
        let view = View(
            formAction: links.audit(), kinds: kinds, subject: request.query.value("subject") ?? "",
            account: request.query.value("account") ?? "", user: request.query.value("user") ?? "", ranges: ranges,
            kept: items.filter { !Self.fields.contains($0.name) }.map {
                FilterView.Kept(keptName: "filter", keptValue: FilterForm.query([$0]))
            }, clearLink: items.isEmpty ? nil : links.audit(), auditError: failure?.message, rows: rows,
            hasRows: !rows.isEmpty, isFiltered: !items.isEmpty, isLater: cursor != nil, newestLink: links.audit(form),
            olderLink: found?.text("next_cursor").map { links.audit(FilterForm.query(items + [("cursor", $0)])) })
        return .page(
            PageContents(
                title: "Audit", section: .audit, template: "audit", view: view, status: failure?.status ?? 200,
                refresh: cursor == nil && failure == nil ? 15 : nil))
    }

    private var kinds: [FilterView.Choice] {
        let chosen = request.query.value("kind") ?? ""
        return [FilterView.Choice(choiceValue: "", choiceLabel: "Any kind", isSelected: chosen.isEmpty)]
            + AuditKind.known.map {
                FilterView.Choice(
                    choiceValue: $0.rawValue, choiceLabel: $0.rawValue, isSelected: $0.rawValue == chosen)
            }
    }

    private var ranges: [FilterView.Choice] {
        let chosen = request.query.value("from") ?? ""
        var ranges = [FilterView.Choice(choiceValue: "", choiceLabel: "Any time", isSelected: chosen.isEmpty)]
        ranges += TimeRange.presets.map {
            FilterView.Choice(choiceValue: $0.text, choiceLabel: $0.label, isSelected: $0.text == chosen)
        }
        if !ranges.contains(where: \.isSelected) {
            ranges.append(
                FilterView.Choice(choiceValue: chosen, choiceLabel: "Since \(Figures.time(chosen))", isSelected: true))
        }
        return ranges
    }
}

extension AuditPage.Row {
    /// - Parameter object: one of `/logs/audit`.
    init(_ object: JSONObject, links: Links) {
        auditISO = object.text("time") ?? ""
        auditTime = Figures.time(auditISO)
        auditKind = object.text("kind") ?? ""
        kindLink = links.audit(FilterForm.query([("kind", auditKind)]))
        auditSubject = object.text("subject") ?? "–"
        subjectLink = InsertionID(auditSubject).map { links.request($0.description) }
        auditAccount = [object.text("account"), object.text("user")].compactMap(\.self).joined(separator: " · ")
        auditActor = object.text("actor") ?? ""
        auditProject = object.text("project_id") ?? "operator"
        details = object.nested("details").map(Self.details) ?? []
    }

    private static func details(_ object: JSONObject) -> [AuditPage.Detail] {
        object.members.compactMap { member in
            guard let name = object.name(of: member) else { return nil }
            let text = object.string(member) ?? String(decoding: object.bytes[member.value], as: UTF8.self)
            return AuditPage.Detail(detailName: name, detailValue: text)
        }
    }
}

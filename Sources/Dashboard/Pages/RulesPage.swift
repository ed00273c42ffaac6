internal import Common
internal import JSON

/// The operator's rules: what is loaded, how often each met a request, and what they decide of a described one.
struct RulesPage {
    struct RuleItem {
        var ruleName: String
        var rulePlace: String
        var ruleLink: String
    }

    struct Document {
        var documentType: String
        var documentName: String?
        var documentPlace: String
        var rules: [RuleItem]
        var hasRules: Bool
    }

    struct HitRow {
        var hitRule: String
        var hitLink: String?
        var hitRequests: String
        var hitRefusals: String
        var hitErrors: String
    }

    struct View {
        var documents: [Document]
        var hasDocuments: Bool
        /// Whether they are for the operator alone.
        var isHidden: Bool
        var rulesHash: String?
        var rangeLinks: [OverviewPage.RangeLink]
        var charts: [ChartView]
        var hits: [HitRow]
        var hasHits: Bool
        var metricsLink: String
        var hitsError: String?
        var usage: LimitUsageView?
        var formAction: String
        var model: String
        var metadata: String
        var explainError: String?
        var explanation: ExplanationView?
    }

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let links = request.links
        let loaded = try JSONObject.answer(try await request.source.get("/rules", query: nil))
        let documents = loaded.objects("documents").map { Self.document($0, links) }
        var form = FilterForm()
        form.range.from = request.query.value("from") ?? MetricsPage.usualRange
        form = form.adding(FilterTerm("rule", operation: "present", value: ""))
        var (charts, hitsError) = (MetricsCharts?.none, String?.none)
        do throws(GatewayError) { charts = try await MetricsPage.charts(form, by: "rule", request) } catch {
            hitsError = error.message
        }
        let hits = charts.map { charts in charts.answer.groups.map { Self.hit($0, charts.link($0)) } } ?? []
        let usage = (try? await request.source.get("/rules/usage", query: nil)).flatMap { try? JSONObject.answer($0) }
        let model = request.query.value("model") ?? ""
        let metadata = request.query.value("metadata") ?? ""
        var (explanation, fault) = (ExplanationView?.none, String?.none)
        if !model.isEmpty || !metadata.isEmpty {
            do throws(GatewayError) { explanation = try await explain(model, metadata) } catch {
                fault = error.message
            }
        }
        let range = form.range
        let view = View(
            documents: documents, hasDocuments: !documents.isEmpty, isHidden: loaded.flag("is_hidden") ?? false,
            rulesHash: loaded.text("hash"),
            rangeLinks: TimeRange.presets.map { preset in
                OverviewPage.RangeLink(
                    rangeLabel: preset.text, rangeLink: links.rules("from=\(preset.text)"),
                    isActive: range.isPreset && range.from == preset.text)
            }, charts: hits.isEmpty ? [] : charts.map { [$0.requests, $0.refusals].map(\.view) } ?? [], hits: hits,
            hasHits: !hits.isEmpty, metricsLink: links.metrics(FilterForm.query(form.items + [("group_by", "rule")])),
            hitsError: hitsError, usage: usage.flatMap { LimitUsageView($0, links: links) }, formAction: links.rules(),
            model: model, metadata: metadata, explainError: fault,
            explanation: explanation)
        return .page(
            PageContents(
                title: "Rules", section: .rules, template: "rules", view: view,
                refresh: model.isEmpty && metadata.isEmpty ? 15 : nil))
    }

    private func explain(_ model: String, _ metadata: String) async throws(GatewayError) -> ExplanationView {
        let description = try Self.description(model: model, metadata: metadata)
        return ExplanationView(
            try JSONObject.answer(try await request.source.post("/rules/explain", body: description)))
    }

    /// The description that `/rules/explain` takes.
    /// - Parameter metadata: an object of JSON, or lines of `key=value`.
    static func description(model: String, metadata: String) throws(GatewayError) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let text = Array(metadata.utf8.drop(while: isSpace))
        var writer = JSONWriter()
        if text.first == UInt8(ascii: "{") {
            guard (try? JSONObject.scan(text, maximumDepth: 8)) != nil else { throw .unreadableMetadata }
            writer.object { writer in
                if !model.isEmpty { writer.member("model", model) }
                writer.member("metadata") { $0.raw(String(decoding: text, as: UTF8.self)) }
            }
            return writer.bytes
        }
        var entries: [(name: String, value: String)] = []
        for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) where !line.allSatisfy(isSpace) {
            guard let place = line.firstIndex(of: UInt8(ascii: "=")) else { throw .unreadableMetadata }
            let name = String(decoding: line[..<place], as: UTF8.self)
            guard !entries.contains(where: { $0.name == name }) else { throw .unreadableMetadata }
            entries.append((name, String(decoding: line[(place + 1)...], as: UTF8.self)))
        }
        writer.object { writer in
            if !model.isEmpty { writer.member("model", model) }
            writer.member("metadata") { writer in
                writer.object { for entry in entries { $0.member(entry.name, entry.value) } }
            }
        }
        return writer.bytes
    }

    private static func document(_ object: JSONObject, _ links: Links) -> Document {
        func place(_ object: JSONObject) -> Int { Int(object.number("line") ?? 0) }
        let file = object.text("file") ?? ""
        let rules = object.objects("rules").map { rule in
            let id = rule.text("id") ?? ""
            return RuleItem(
                ruleName: id, rulePlace: "\(file):\(place(rule))",
                ruleLink: links.requests(FilterForm.query([("rule", id)])))
        }
        return Document(
            documentType: object.text("type") ?? "", documentName: object.text("name"),
            documentPlace: "\(file):\(place(object))", rules: rules, hasRules: !rules.isEmpty)
    }

    private static func hit(_ group: MetricsResponse.Group, _ link: String?) -> HitRow {
        func number(_ name: String) -> Double { group.total.number(name) ?? 0 }
        return HitRow(
            hitRule: group.label, hitLink: link, hitRequests: Figures.count(number("requests")),
            hitRefusals: Figures.count(number("limit_hits")), hitErrors: Figures.count(number("errors")))
    }
}

extension GatewayError {
    fileprivate static let unreadableMetadata = invalidRequest(
        code: "invalid_metadata",
        "The metadata is neither a JSON object nor lines of key=value, each key once. Write it like "
            + #"{"environment": "prod"}, or environment=prod on a line of its own."#)
}

internal import Common
internal import JSON

/// A project's rollouts, the one with the latest completion first.
struct RolloutsPage {
    struct Choice {
        var choiceValue: String
        var choiceLabel: String
        var isSelected: Bool
    }

    struct Chip {
        /// The query's parameter with its value, percent-encoded, as the form carries it.
        var chipQuery: String
        var chipText: String
        var removeLink: String
    }

    struct View {
        var formAction: String
        var kinds: [Choice]
        var chips: [Chip]
        var rollouts: [RolloutRowView]
        var hasRollouts: Bool
        var isSearched: Bool
        var moreLink: String?
        var rolloutError: String?
        var projectPath: String
    }

    /// Rollouts of a page, at first and at most.
    private static let few = 50
    private static let most = 1000
    private static let kinds = [
        ("prefix", "Rollout begins with"), ("rollout_id", "Rollout"), ("run_id", "Run"),
        ("experiment_id", "Experiment"), ("invocation_id", "Invocation"),
    ]

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let links = request.links
        // What the form carries of the search before it.
        let carried = request.query.values("filter").compactMap { FilterTerm(encoded: $0) }
        let tags = request.query.values("tag") + carried.filter { $0.name == "tag" }.map(\.value)
        let prefix = request.query.value("prefix") ?? carried.last { $0.name == "prefix" }?.value
        var searched: [(name: String, value: String)] = tags.map { ("tag", $0) }
        if let prefix { searched.append(("prefix", prefix)) }
        if let kind = request.query.values("kind").last {
            if let value = request.query.value("value") {
                if kind == "prefix" {
                    searched.removeAll { $0.name == "prefix" }
                    searched.append(("prefix", value))
                } else {
                    searched.append(("tag", "\(kind):\(value)"))
                }
            }
            return .redirect(links.rollouts(FilterForm.query(searched)))
        }
        let limit = min(max(Int(request.query.value("limit") ?? "") ?? Self.few, 1), Self.most)
        let items = searched + [("limit", String(limit))]
        let (answer, failure) = try await request.filtered { () throws(GatewayError) in
            try JSONObject.answer(try await request.source.get("/rollouts", query: FilterForm.query(items)))
        }
        let rows = await request.rolloutRows(answer?.objects("rollouts") ?? [])
        let more = rows.count == limit && limit < Self.most
        let view = View(
            formAction: links.rollouts(),
            kinds: Self.kinds.map { Choice(choiceValue: $0.0, choiceLabel: $0.1, isSelected: $0.0 == Self.kinds[0].0) },
            chips: Self.chips(searched, links), rollouts: rows, hasRollouts: !rows.isEmpty,
            isSearched: !searched.isEmpty,
            moreLink: more
                ? links.rollouts(FilterForm.query(items.dropLast() + [("limit", String(min(limit * 4, Self.most)))]))
                : nil,
            rolloutError: failure?.message, projectPath: "/project_id/" + PercentEncoding.segment(request.project))
        return .page(
            PageContents(
                title: "Rollouts", section: .rollouts, template: "rollouts", view: view, status: failure?.status ?? 200,
                refresh: failure == nil ? 5 : nil, showsMoreLive: rows.contains(where: \.isOpen)))
    }

    private static func chips(_ searched: [(name: String, value: String)], _ links: Links) -> [Chip] {
        searched.indices.map { index in
            var rest = searched
            let term = rest.remove(at: index)
            return Chip(
                chipQuery: FilterForm.query([term]),
                chipText: term.name == "prefix" ? "begins with \(term.value)" : term.value,
                removeLink: links.rollouts(FilterForm.query(rest)))
        }
    }
}

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
        var chipTag: String
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
        ("rollout_id", "Rollout"), ("run_id", "Run"), ("experiment_id", "Experiment"), ("invocation_id", "Invocation"),
    ]

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let (links, tags) = (request.links, request.query.values("tag"))
        if let kind = request.query.values("kind").last {
            let value = request.query.value("value")
            let all = tags + (value.map { ["\(kind):\($0)"] } ?? [])
            return .redirect(links.rollouts(FilterForm.query(all.map { ("tag", $0) })))
        }
        let limit = min(max(Int(request.query.value("limit") ?? "") ?? Self.few, 1), Self.most)
        let items = tags.map { (name: "tag", value: $0) } + [("limit", String(limit))]
        var (rows, failure) = ([RolloutRowView](), GatewayError?.none)
        do throws(GatewayError) {
            let answer = try JSONObject.answer(
                try await request.source.get("/rollouts", query: FilterForm.query(items)))
            rows = answer.objects("rollouts").compactMap { RolloutRowView($0, links: links) }
        } catch {
            guard error.status == 400 else { throw error }
            failure = error
        }
        let more = rows.count == limit && limit < Self.most
        let view = View(
            formAction: links.rollouts(),
            kinds: Self.kinds.map { Choice(choiceValue: $0.0, choiceLabel: $0.1, isSelected: $0.0 == Self.kinds[0].0) },
            chips: tags.indices.map { index in
                let rest = tags.indices.filter { $0 != index }.map { (name: "tag", value: tags[$0]) }
                return Chip(chipTag: tags[index], removeLink: links.rollouts(FilterForm.query(rest)))
            }, rollouts: rows, hasRollouts: !rows.isEmpty, isSearched: !tags.isEmpty,
            moreLink: more
                ? links.rollouts(FilterForm.query(items.dropLast() + [("limit", String(min(limit * 4, Self.most)))]))
                : nil,
            rolloutError: failure?.message, projectPath: "/project_id/" + PercentEncoding.segment(request.project))
        return .page(
            PageContents(
                title: "Rollouts", section: .rollouts, template: "rollouts", view: view, status: failure?.status ?? 200,
                refresh: failure == nil ? 5 : nil))
    }
}

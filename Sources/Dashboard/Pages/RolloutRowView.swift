internal import Common
internal import JSON

/// A rollout as a line of a table.
struct RolloutRowView {
    var rolloutName: String
    var rolloutLink: String
    var experiment: String
    var experimentLink: String?
    var run: String
    var runLink: String?
    var invocation: String
    var lastISO: String
    var lastTime: String
    var progress: ProgressView
    /// Whether its traces may still come.
    var isOpen: Bool

    /// - Parameters:
    ///   - listed: one of `/rollouts`.
    ///   - found: how far it is.
    init?(_ listed: JSONObject, _ found: RolloutProgress, links: Links) {
        guard let name = listed.text("rollout_id") else { return nil }
        rolloutName = name
        rolloutLink = links.rollout(name)
        (experiment, run) = (listed.text("experiment_id") ?? "", listed.text("run_id") ?? "")
        invocation = listed.text("invocation_id") ?? ""
        experimentLink = Self.link("experiment_id", experiment, links: links)
        runLink = Self.link("run_id", run, links: links)
        lastISO = listed.text("last_completion_at") ?? ""
        lastTime = Figures.time(lastISO)
        progress = ProgressView(found)
        isOpen = found.verdict != "complete"
    }

    private static func link(_ tag: String, _ value: String, links: Links) -> String? {
        value.isEmpty ? nil : links.rollouts(FilterForm.query([("tag", "\(tag):\(value)")]))
    }
}

extension PageRequest {
    /// Rollouts of a live page that are checked at each turn.
    private static let mostChecked = 20
    /// The time after which no further one is checked in a turn: the trace store may be slow.
    private static let longestCheck = Duration.seconds(2)

    /// Rollouts as lines. Of those that are not complete a live page has some checked at each turn, all of them one
    /// after the other. The first look does not wait for that.
    /// - Parameter listed: those of `/rollouts`.
    func rolloutRows(_ listed: [JSONObject]) async -> [RolloutRowView] {
        var found = listed.map { RolloutProgress(listed: $0) }
        let open = listed.indices.filter { found[$0].verdict != "complete" && listed[$0].text("rollout_id") != nil }
        if let checks {
            let names = open.map { listed[$0].text("rollout_id") ?? "" }
            let end = ContinuousClock.now + Self.longestCheck
            for place in await checks.begin(names).prefix(Self.mostChecked) where .now < end {
                let verdict = try? await verdict(of: names[place])
                await checks.note(names[place], verdict.map { RolloutProgress(verdict: $0) })
            }
            for (place, index) in open.enumerated() {
                if let progress = await checks.progress(of: names[place]) { found[index] = progress }
            }
        }
        return zip(listed, found).compactMap { RolloutRowView($0, $1, links: links) }
    }
}

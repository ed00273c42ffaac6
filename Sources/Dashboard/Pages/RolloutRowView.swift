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
        experimentLink = Self.link("experiment_id", experiment, links)
        runLink = Self.link("run_id", run, links)
        lastISO = listed.text("last_completion_at") ?? ""
        lastTime = Figures.time(lastISO)
        progress = ProgressView(found)
        isOpen = found.verdict != "complete"
    }

    private static func link(_ tag: String, _ value: String, _ links: Links) -> String? {
        value.isEmpty ? nil : links.rollouts(FilterForm.query([("tag", "\(tag):\(value)")]))
    }
}

extension PageRequest {
    /// Rollouts of a live page that are checked at each turn.
    private static let mostChecked = 20
    /// The time after which no further one is checked in a turn: the trace store may be slow.
    private static let longestCheck = Duration.seconds(2)

    /// Rollouts as lines, of which a live page has the first that are not complete checked. The first look does not
    /// wait for that.
    /// - Parameter listed: those of `/rollouts`.
    func rolloutRows(_ listed: [JSONObject]) async -> [RolloutRowView] {
        var (rows, checked) = ([RolloutRowView](), 0)
        let end = ContinuousClock.now + Self.longestCheck
        for rollout in listed {
            var progress = RolloutProgress(listed: rollout)
            if isLive, progress.verdict != "complete", checked < Self.mostChecked, .now < end,
                let name = rollout.text("rollout_id")
            {
                checked += 1
                if let verdict = try? await verdict(of: name) { progress = RolloutProgress(verdict: verdict) }
            }
            if let row = RolloutRowView(rollout, progress, links: links) { rows.append(row) }
        }
        return rows
    }
}

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
    /// Where a script finds the bar of a rollout that is not complete.
    var progressLink: String?

    /// - Parameter listed: one of `/rollouts`.
    init?(_ listed: JSONObject, links: Links) {
        guard let name = listed.text("rollout_id") else { return nil }
        rolloutName = name
        rolloutLink = links.rollout(name)
        (experiment, run) = (listed.text("experiment_id") ?? "", listed.text("run_id") ?? "")
        invocation = listed.text("invocation_id") ?? ""
        experimentLink = Self.link("experiment_id", experiment, links)
        runLink = Self.link("run_id", run, links)
        lastISO = listed.text("last_completion_at") ?? ""
        lastTime = Figures.time(lastISO)
        let found = RolloutProgress(listed: listed)
        progress = ProgressView(found)
        progressLink = found.verdict == "complete" ? nil : links.progress(name)
    }

    private static func link(_ tag: String, _ value: String, _ links: Links) -> String? {
        value.isEmpty ? nil : links.rollouts(FilterForm.query([("tag", "\(tag):\(value)")]))
    }
}

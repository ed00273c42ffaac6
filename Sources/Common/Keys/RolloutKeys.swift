/// The Redis keys of one rollout that the steps on the queue touch together.
package struct RolloutKeys: Sendable, Equatable {
    /// Its insertion ids: what succeeded or is still in flight.
    package var set: String
    package var verdict: String
    package var record: String
    /// The number of ids that the set should have.
    package var count: String
    /// The list of its project's rollouts.
    package var list: String

    package init(_ rollout: String, project: String, defaultProject: String) {
        set = Keys.rollout(rollout, project: project, defaultProject: defaultProject)
        verdict = Keys.verdict(rollout, project: project)
        record = Keys.record(rollout: rollout, project: project)
        count = Keys.count(rollout: rollout, project: project)
        list = Keys.rollouts(project: project)
    }
}

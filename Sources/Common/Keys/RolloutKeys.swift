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

    package init(_ rollout: Rollout, defaultProject: String) {
        set = Keys.set(of: rollout, defaultProject: defaultProject)
        verdict = Keys.verdict(of: rollout)
        record = Keys.rolloutRecord(of: rollout)
        count = Keys.count(of: rollout)
        list = Keys.rollouts(project: rollout.project)
    }
}

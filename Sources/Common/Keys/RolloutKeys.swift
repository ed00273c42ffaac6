/// The Redis keys of one rollout that the steps on the queue touch together (``KeySpace/keys(of:)``).
package struct RolloutKeys: Sendable, Equatable {
    /// Its insertion ids: what succeeded or is still in flight.
    package var set: String
    package var verdict: String
    package var record: String
    /// The number of ids that the set should have.
    package var count: String
    /// The list of its project's rollouts.
    package var list: String
}

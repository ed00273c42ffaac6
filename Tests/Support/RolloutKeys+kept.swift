package import Common

extension RolloutKeys {
    /// What a recorded completion leaves.
    package var kept: [String] { [set, record, count, list] }
}

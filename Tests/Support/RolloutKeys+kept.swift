package import Common

extension RolloutKeys {
    /// What a recorded completion leaves.
    package var kept: [String] { [set, record, count, list] }
}

extension KeySpace {
    /// The names of a gateway whose default project is `local`.
    package static let local = KeySpace(defaultProject: "local")
}

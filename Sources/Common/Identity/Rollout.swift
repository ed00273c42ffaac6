/// A rollout of a project. Rollouts of two projects have nothing in common, even if their names are the same.
package struct Rollout: Sendable, Hashable {
    /// The `rollout_id` of its completions' paths.
    package let name: String
    package let project: String

    package init(_ name: String, project: String) { (self.name, self.project) = (name, project) }

    package static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.project == right.project
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(UTF8Text(name))
        hasher.combine(UTF8Text(project))
    }
}

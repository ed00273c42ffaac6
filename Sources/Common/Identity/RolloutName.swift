/// The rule for a rollout's id outside a path: that of paths (`PathSegments.id`), since it goes into keys of Redis.
package enum RolloutName {
    package static let rule = "must be 1 to 128 characters without slashes and control characters"

    package static func isValid(_ name: String) -> Bool {
        let scalars = name.unicodeScalars
        return (1...128).contains(scalars.count) && name != "." && name != ".."
            && !scalars.contains { $0 == "/" || $0.isControl }
    }

    /// The rollouts that tags name, such as `rollout_id:my-rollout`, in their order.
    package static func named(by tags: [String]) -> [String] {
        tags.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    private static let prefix = "rollout_id:"
}

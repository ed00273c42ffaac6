/// What a rollout may be called; the same as in the path of a completion, so that a name from a query never leads to another key of Redis.
enum RolloutName {
    static let rule = "must be 1 to 128 characters without slashes and control characters"

    static func isValid(_ name: String) -> Bool {
        let scalars = name.unicodeScalars
        return (1...128).contains(scalars.count) && name != "." && name != ".."
            && !scalars.contains { scalar in
                switch scalar.value {
                case 0x2F, 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
                default: false
                }
            }
    }
}

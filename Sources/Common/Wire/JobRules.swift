/// The operator's rules that decided about a job, beside those that stand in its route.
package struct JobRules: Sendable, Equatable {
    /// Tells the files of the rules that were in force from others; empty without files.
    package var hash: String
    /// The ids of the rate limits that it was counted on, as the operator wrote them.
    package var limits: [String]

    package init(hash: String = "", limits: [String] = []) {
        self.hash = hash
        self.limits = limits
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.hash == right.hash && left.limits.map { UTF8Text($0) } == right.limits.map { UTF8Text($0) }
    }
}

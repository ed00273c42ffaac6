/// The operator's rules that decided about a job, beside those that stand in its route.
package struct JobRules: Sendable, Equatable {
    /// Tells the files of the rules that were in force from others; empty without files.
    package var hash: String
    /// The ids of the rate limits that it was counted on, as the operator wrote them.
    package var limits: [String]
    /// The ids of the rules that set metadata of it, or decided what is logged of it.
    package var others: [String]

    package init(hash: String = "", limits: [String] = [], others: [String] = []) {
        self.hash = hash
        self.limits = limits
        self.others = others
    }

    /// The ids of all of them.
    package var all: [String] { limits + others }

    package static func == (left: Self, right: Self) -> Bool {
        left.hash == right.hash && left.limits.map { UTF8Text($0) } == right.limits.map { UTF8Text($0) }
            && left.others.map { UTF8Text($0) } == right.others.map { UTF8Text($0) }
    }
}

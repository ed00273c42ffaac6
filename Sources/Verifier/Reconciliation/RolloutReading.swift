package import Common

/// A rollout's set of insertion ids as it stood at one moment.
package struct RolloutReading: Sendable, Equatable {
    /// The most members that are kept and are no insertion ids.
    static let mostStrangers = Verdict.mostMissing

    /// All of them, ascending. 16 bytes each.
    package var ids: [InsertionID]
    /// Those that no verifier has seen in the trace store yet, ascending.
    package var pending: [InsertionID]
    /// Members that are no insertion ids: nothing can be traced under such a name, so the rollout never gets complete.
    /// At most `mostStrangers`.
    package var strangers: [String]
    package var strangerCount: Int
    /// Completions that failed.
    package var failed: Int
    /// Ids that the set had lost when it was read, and how many it should have had. Nil: none.
    package var loss: Loss?

    package struct Loss: Sendable, Equatable {
        package var recorded: Int
        package var left: Int
    }

    package init(
        ids: [InsertionID], pending: [InsertionID], strangers: [String] = [], strangerCount: Int = 0, failed: Int = 0
    ) {
        self.ids = ids
        self.pending = pending
        self.strangers = strangers
        self.strangerCount = strangerCount
        self.failed = failed
    }

    /// The number of ids that were made from the first to the last of some others.
    func count(from first: InsertionID, to last: InsertionID) -> Int {
        index(of: last, after: true) - index(of: first, after: false)
    }

    /// The index of the first id that is not before `id`; with `after`, of the first one behind it.
    private func index(of id: InsertionID, after: Bool) -> Int {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = low + (high - low) / 2
            if ids[middle] < id || (after && ids[middle] == id) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

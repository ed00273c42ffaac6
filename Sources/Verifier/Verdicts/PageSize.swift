/// The number of rows to ask for at a time, by the size of the rows that came.
package struct PageSize: Sendable, Equatable {
    /// Langfuse Cloud refuses to answer with more than 5 MB.
    package static let bytes = 4_500_000
    /// Larger ones were refused.
    private var bound = AdaptiveLimit(limit: 1000)

    /// The next page's.
    package private(set) var rows: Int

    /// - Parameter rows: for the first page, of which nothing is known.
    package init(rows: Int = 50) { self.rows = rows }

    /// Learns from a page. It leaves a fifth of room, since rows differ.
    package mutating func learn(rows count: Int, bytes: Int) {
        guard count > 0 else { return }
        bound.recordSuccess()
        rows = min(max(Self.bytes * 4 / 5 / max(bytes / count, 1), 1), bound.most)
    }

    /// The page was too large after all. False if it was a single row.
    package mutating func halve() -> Bool {
        guard rows > 1 else { return false }
        bound.recordExcess(rows)
        rows = bound.most
        return true
    }
}

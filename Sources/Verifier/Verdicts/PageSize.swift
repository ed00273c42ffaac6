/// How many rows to ask for at a time, by the size of the rows that came.
package struct PageSize: Sendable, Equatable {
    /// Langfuse Cloud refuses to answer with more than 5 MB.
    package static let bytes = 4_500_000
    private static let limit = 1000
    /// After so many good pages larger ones are tried again.
    private static let recovery = 8

    /// Larger ones were refused.
    private var most = PageSize.limit
    /// Pages since one was refused.
    private var good = 0

    /// The next page's.
    package private(set) var rows: Int

    /// - Parameter rows: for the first page, of which nothing is known.
    package init(rows: Int = 50) { self.rows = rows }

    /// Learns from a page. It leaves a fifth of room, since rows differ.
    package mutating func learn(rows count: Int, bytes: Int) {
        guard count > 0 else { return }
        good += 1
        if good % Self.recovery == 0 { most = min(most * 2, Self.limit) }
        rows = min(max(Self.bytes * 4 / 5 / max(bytes / count, 1), 1), most)
    }

    /// The page was too large after all. False if it was a single row.
    package mutating func halve() -> Bool {
        guard rows > 1 else { return false }
        rows = rows / 2
        (most, good) = (rows, 0)
        return true
    }
}

/// Watches the pages of one answer of a trace store. Cursors that lead in a circle, and pages that never end, are
/// trouble like any other: the store is asked again later, and not a thousand times a second.
struct PageWalk: Sendable {
    /// The most pages in a row that show nothing new: rows of attempts, repetitions, and rows that are known.
    static let mostIdlePages = 64
    static let trouble = TraceSourceError.unavailable(
        "the trace store's pages do not end: its cursors lead to nothing new")

    private var cursors: Set<TraceCursor> = []
    private var idlePages = 0

    /// Takes note of a page.
    /// - Parameters:
    ///   - next: where the page after it begins.
    ///   - isNew: whether it showed something that was looked for.
    /// - Returns: false if the pages do not end.
    mutating func goesOn(to next: TraceCursor, isNew: Bool) -> Bool {
        idlePages = isNew ? 0 : idlePages + 1
        return cursors.insert(next).inserted && idlePages < Self.mostIdlePages
    }
}

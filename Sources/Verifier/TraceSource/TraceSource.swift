package import Common

/// A store of traces that can be asked which completions it has, and for what they hold.
package protocol TraceSource: Sendable {
    /// One page of the answer to a query.
    /// - Parameters:
    ///   - cursor: where the page before this one ended; nil for the first page.
    ///   - limit: the most rows of the page. The source may send fewer, and goes below its own server's bound by
    ///     itself.
    func page(_ query: TraceQuery, after cursor: TraceCursor?, limit: Int) async throws(TraceSourceError) -> TracePage
}

/// A part of an answer.
package struct TracePage: Sendable {
    /// In the store's order, perhaps with repetitions, perhaps with rows that belong to no completion of the gateway's.
    package var rows: [TraceRow]
    /// The place at which the next page begins; nil if this is the last.
    package var next: TraceCursor?
    /// Bytes of the answer, content encoding undone.
    package var bytes: Int
    /// Names of metadata whose values seem to be cut.
    package var cutMetadata: Set<UTF8Text>

    package init(rows: [TraceRow], next: TraceCursor? = nil, bytes: Int = 0, cutMetadata: Set<UTF8Text> = []) {
        self.cutMetadata = cutMetadata
        self.rows = rows
        self.next = next
        self.bytes = bytes
    }
}

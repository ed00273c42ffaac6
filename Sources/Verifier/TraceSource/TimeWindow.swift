package import Common

/// A stretch of time in which spans began: from `start`, up to but without `end`. Milliseconds since 1970.
package struct TimeWindow: Sendable, Equatable {
    package var start: Int64
    package var end: Int64

    package init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    /// The window in which the spans of some completions began.
    /// - Parameters:
    ///   - ids: in ascending order, at least one.
    ///   - margin: milliseconds by which it is wider on both sides.
    package init(of ids: some BidirectionalCollection<InsertionID>, margin: Int64) {
        let times = (
            ids.first.map { Int64(clamping: $0.milliseconds) } ?? 0,
            ids.last.map { Int64(clamping: $0.milliseconds) } ?? 0
        )
        self.init(start: max(times.0 - margin, 0), end: times.1 + margin + 1)
    }

    package var width: Int64 { end - start }

    /// Both halves, the later first. Nil if it is too narrow to be cut.
    package var halves: (later: TimeWindow, earlier: TimeWindow)? {
        guard width >= 2 else { return nil }
        let middle = start + width / 2
        return (TimeWindow(start: middle, end: end), TimeWindow(start: start, end: middle))
    }
}

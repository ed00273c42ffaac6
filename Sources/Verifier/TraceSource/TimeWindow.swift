package import Common

/// A stretch of time in which spans began: from `start`, up to but without `end`.
package struct TimeWindow: Sendable, Equatable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// The window in which the spans of some completions began.
    /// - Parameters:
    ///   - ids: in ascending order, at least one.
    ///   - margin: by which it is wider on both sides.
    package init(of ids: some BidirectionalCollection<InsertionID>, margin: Duration) {
        let (first, last) = (ids.first?.time ?? .epoch, ids.last?.time ?? .epoch)
        self.init(start: first - margin, end: last + margin + .milliseconds(1))
    }

    package var width: Duration { end - start }

    /// Both halves, the later first. Nil if it is too narrow to be cut.
    package var halves: (later: TimeWindow, earlier: TimeWindow)? {
        guard width >= .milliseconds(2) else { return nil }
        let middle = start + width / 2
        return (TimeWindow(start: middle, end: end), TimeWindow(start: start, end: middle))
    }
}

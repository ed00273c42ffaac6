/// Pauses that double: 2, 4, 8 … up to 30 s, or from another beginning.
package struct BackOff: Sendable, Equatable {
    /// No pause is longer.
    package static let longest = Duration.seconds(30)

    private let first: Duration
    private var next: Duration

    package init(first: Duration = .seconds(2)) {
        self.first = first
        next = first
    }

    /// The pause to make now.
    package mutating func take() -> Duration {
        defer { next = min(next * 2, Self.longest) }
        return min(next, Self.longest)
    }

    /// Begins anew, because something has moved.
    package mutating func reset() { next = first }
}

/// Pauses that double, from the first one up to the longest.
package struct Backoff: Sendable, Equatable {
    private let first: Duration
    private let longest: Duration
    private var following: Duration

    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
        following = min(first, longest)
    }

    /// The pause to make now.
    package mutating func next() -> Duration {
        defer { following = min(following * 2, longest) }
        return following
    }

    /// Begins anew, because something has moved.
    package mutating func reset() { following = min(first, longest) }
}

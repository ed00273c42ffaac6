/// The intervals at which an open page is made anew.
enum LivePace {
    /// The rest of a page, in multiples of the time that the gateway worked on it. Two processors may make it together,
    /// so that it costs at most a hundredth of one.
    static let rests = 200
    /// No page rests longer, even where a store that hangs has held one up.
    static let longest = Duration.seconds(120)

    /// The pause before the next turn.
    /// - Parameters:
    ///   - wanted: what the page asks for.
    ///   - work: the time that the gateway worked on the page. Its wait for the trace store does not count, so that a
    ///     rollout is followed with a slow store too.
    static func rest(_ wanted: Duration, after work: Duration) -> Duration {
        max(wanted, min(work * rests, longest))
    }
}

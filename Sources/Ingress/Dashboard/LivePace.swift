/// How often an open page is made anew.
enum LivePace {
    /// A page rests so many times as long as the gateway worked on it. Two processors may make it together, so that it
    /// costs at most a hundredth of one.
    static let rests = 200
    /// No page rests longer, also where a store that hangs has held one up.
    static let longest = Duration.seconds(120)

    /// The pause before the next turn.
    /// - Parameters:
    ///   - wanted: what the page asks for.
    ///   - work: how long the gateway worked on the page. What it waited for the trace store does not count, so that a
    ///     rollout is followed beside a slow one too.
    static func rest(_ wanted: Duration, after work: Duration) -> Duration {
        max(wanted, min(work * rests, longest))
    }
}

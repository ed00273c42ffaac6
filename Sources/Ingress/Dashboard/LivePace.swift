/// How often an open page is made anew.
enum LivePace {
    /// A page rests so many times as long as it took to make. Two processors may make it together, so that it costs at
    /// most a hundredth of one.
    static let rests = 200
    /// No page rests longer, also where a store that hangs has held one up.
    static let longest = Duration.seconds(120)

    /// The pause before the next turn.
    /// - Parameters:
    ///   - wanted: what the page asks for.
    ///   - turn: how long it took to make the page.
    static func rest(_ wanted: Duration, after turn: Duration) -> Duration {
        max(wanted, min(turn * rests, longest))
    }
}

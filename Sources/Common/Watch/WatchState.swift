/// A watch's findings about its Redis, and the log's lines about them. Pure: sights go in, lines for the log come out.
struct WatchState: Sendable {
    /// The finding of one look at Redis.
    enum Sight: Sendable, Equatable {
        case good
        /// This process is alone with its Redis, and nothing waited there that the former key sealed.
        case keyReplaced
        case trouble(RedisTrouble)
        /// It does not answer. Those who try to connect say so.
        case away
    }

    /// A line for the log.
    enum News: Sendable, Equatable {
        case begins(RedisTrouble)
        case goesOn(RedisTrouble, for: Duration)
        case isOver(RedisTrouble)
        case keyReplaced
    }

    /// The interval at which a lasting trouble is logged again.
    private static let reminder = Duration.seconds(600)

    private(set) var trouble: RedisTrouble?
    /// Whether the key was the right one when it was last seen, so that this process may take part.
    private(set) var hasRightKey = false
    private var since = ContinuousClock.Instant.now
    private var said = ContinuousClock.Instant.now

    /// - Returns: the news to tell; nil if there is none.
    mutating func see(_ sight: Sight, now: ContinuousClock.Instant) -> News? {
        switch sight {
        case .good, .keyReplaced:
            hasRightKey = true
            defer { trouble = nil }
            if sight == .keyReplaced { return .keyReplaced }
            return trouble.map { .isOver($0) }
        case .trouble(let found):
            if found == .otherKey { hasRightKey = false }
            guard found == trouble else {
                (trouble, since, said) = (found, now, now)
                return .begins(found)
            }
            guard said.duration(to: now) >= Self.reminder else { return nil }
            said = now
            return .goesOn(found, for: since.duration(to: now))
        // Whether the trouble is over is seen when Redis is back.
        case .away: return nil
        }
    }
}

/// The reason why a trace store gave no page, by what is to be done about it.
package enum TraceSourceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Asking again is of no use before the fault is repaired; the text names it.
    case refused(String)
    /// The answer would take the server too long (or too much memory): ask for less time.
    case tooSlow
    /// The answer would be too large: ask for fewer rows.
    case tooLarge
    /// Ask again after this time, not before.
    case rateLimited(retryAfter: Duration)
    /// The store is away or in trouble; the text says how. Ask again later.
    case unavailable(String)
    /// Another API is spoken from now on, and the cursor is of the one before: ask from the beginning.
    case cursorLost
    /// The answer is no longer wanted.
    case cancelled

    package var description: String {
        switch self {
        case .refused(let reason), .unavailable(let reason): reason
        case .tooSlow: "the trace store found the question too large, or too large to answer in time"
        case .tooLarge: "the trace store found the answer too large"
        case .rateLimited(let pause):
            "the trace store's rate limit is used up for \(max(Int((pause / .seconds(1)).rounded(.up)), 1)) s"
        case .cursorLost: "the trace store has changed its API"
        case .cancelled: "cancelled"
        }
    }
}

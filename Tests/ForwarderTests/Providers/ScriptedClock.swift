import NIOConcurrencyHelpers

/// A clock that takes no time: a sleep ends at once, at its own time. It keeps what was slept; or it holds every
/// sleeper until it is cancelled.
final class ScriptedClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleeps: [Duration] = []
    }

    private let state = NIOLockedValueBox(State())
    private let holds: Bool
    /// Gets an element when a sleeper comes.
    let sleepers: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init(holds: Bool = false) {
        self.holds = holds
        (sleepers, arrival) = AsyncStream.makeStream()
    }

    var now: Instant { state.withLockedValue(\.now) }
    var minimumResolution: Duration { .zero }
    var sleeps: [Duration] { state.withLockedValue(\.sleeps) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        arrival.yield()
        if holds {
            let (never, continuation) = AsyncStream<Void>.makeStream()
            for await _ in never {}
            continuation.finish()
        }
        try Task.checkCancellation()
        state.withLockedValue {
            $0.sleeps.append($0.now.duration(to: deadline))
            $0.now = max($0.now, deadline)
        }
    }
}

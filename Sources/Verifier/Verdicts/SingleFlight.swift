internal import Common
internal import NIOConcurrencyHelpers

/// Lets questions about the same rollout share one answer. The first of them works, and the others hear what comes of
/// it. If the first gives up, one of the others takes the work over.
final class SingleFlight: Sendable {
    enum Event: Sendable {
        case progress(WorkLease.State)
        /// The verdict; nil if there is no such rollout.
        case ended(Verdict?)
        case abandoned
    }

    enum Part {
        /// - Parameter wake: ends the worker's rest when another one asks.
        case work(wake: WakeSignal)
        /// - Parameter latest: what the worker has told before; nil if it has told nothing yet.
        case listen(AsyncStream<Event>, latest: WorkLease.State?)
    }

    /// A question that is being worked on.
    private struct Flight {
        let wake = WakeSignal()
        var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
        var latest: WorkLease.State?
    }

    private struct State {
        var flights: [Rollout: Flight] = [:]
        var nextListener = 0
    }

    private let state = NIOLockedValueBox(State())

    /// Takes part. The one that is told to work must call `end`.
    func join(_ rollout: Rollout) -> Part {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1))
        let (place, flight) = state.withLockedValue { state -> (Int?, Flight) in
            guard let flight = state.flights[rollout] else {
                let flight = Flight()
                state.flights[rollout] = flight
                return (nil, flight)
            }
            state.nextListener += 1
            state.flights[rollout]?.listeners[state.nextListener] = continuation
            return (state.nextListener, flight)
        }
        guard let place else { return .work(wake: flight.wake) }
        continuation.onTermination = { [state] _ in
            state.withLockedValue { _ = $0.flights[rollout]?.listeners.removeValue(forKey: place) }
        }
        flight.wake.send()
        return .listen(stream, latest: flight.latest)
    }

    func tell(_ news: WorkLease.State, of rollout: Rollout) {
        let listeners = state.withLockedValue { state in
            state.flights[rollout]?.latest = news
            return state.flights[rollout].map { Array($0.listeners.values) } ?? []
        }
        for listener in listeners { listener.yield(.progress(news)) }
    }

    func end(_ rollout: Rollout, _ event: Event) {
        let flight = state.withLockedValue { $0.flights.removeValue(forKey: rollout) }
        for listener in flight?.listeners.values.map(\.self) ?? [] {
            listener.yield(event)
            listener.finish()
        }
    }

    /// The number of listeners, for tests.
    func listeners(to rollout: Rollout) -> Int {
        state.withLockedValue { $0.flights[rollout]?.listeners.count ?? 0 }
    }
}

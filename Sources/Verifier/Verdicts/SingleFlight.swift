internal import Common
internal import NIOConcurrencyHelpers

/// Lets those who ask the same at the same time share one answer. The first of them works, the others hear what comes
/// of it; if the first gives up, one of the others takes the work over.
final class SingleFlight: Sendable {
    enum Event: Sendable {
        case progress(WorkLease.State)
        /// The verdict; nil if there is no such rollout.
        case ended(Verdict?)
        case abandoned
    }

    enum Part {
        case work
        case listen(AsyncStream<Event>)
    }

    private struct State {
        /// The listeners to each question that is being worked on.
        var listeners: [UTF8Text: [Int: AsyncStream<Event>.Continuation]] = [:]
        var nextListener = 0
    }

    private let state = NIOLockedValueBox(State())

    /// Takes part. Who is told to work must call `end`.
    func join(_ question: String) -> Part {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1))
        let place: Int? = state.withLockedValue { state in
            guard state.listeners[question] != nil else {
                state.listeners[question] = [:]
                return nil
            }
            state.nextListener += 1
            state.listeners[question]?[state.nextListener] = continuation
            return state.nextListener
        }
        guard let place else { return .work }
        continuation.onTermination = { [state] _ in
            state.withLockedValue { _ = $0.listeners[question]?.removeValue(forKey: place) }
        }
        return .listen(stream)
    }

    func tell(_ news: WorkLease.State, of question: String) {
        for listener in state.withLockedValue({ Array(($0.listeners[question] ?? [:]).values) }) {
            listener.yield(.progress(news))
        }
    }

    func end(_ question: String, _ event: Event) {
        let listeners = state.withLockedValue { $0.listeners.removeValue(forKey: question) ?? [:] }
        for listener in listeners.values {
            listener.yield(event)
            listener.finish()
        }
    }

    /// The number of listeners, for tests.
    func listeners(to question: String) -> Int { state.withLockedValue { $0.listeners[question]?.count ?? 0 } }
}

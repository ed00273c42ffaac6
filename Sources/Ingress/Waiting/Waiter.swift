internal import Common
internal import NIOConcurrencyHelpers

/// One request that waits for the frames of its answer.
final class Waiter: Sendable {
    /// Why the wait ended without the answer's end.
    enum Ending: Error, Equatable {
        /// The client closed its connection.
        case disconnected
        /// The time for the answer is over.
        case deadline
        /// This process stops.
        case stopped
    }

    typealias Frames = Result<[[UInt8]], Ending>

    private struct State {
        /// Sealed frames that have come and were not taken.
        var frames: [[UInt8]] = []
        var ending: Ending?
        var continuation: CheckedContinuation<Frames, Never>?
    }

    let id: InsertionID
    /// When the wait ends, in milliseconds since 1970.
    let deadline: UInt64
    private let state = NIOLockedValueBox(State())

    init(id: InsertionID, deadline: UInt64) {
        self.id = id
        self.deadline = deadline
    }

    /// The sealed frames that have come since the last call, at least one. One task calls this.
    func next() async throws(Ending) -> [[UInt8]] {
        let frames: Frames = await withCheckedContinuation { continuation in
            let ready: Frames? = state.withLockedValue { state in
                if !state.frames.isEmpty {
                    defer { state.frames = [] }
                    return .success(state.frames)
                }
                if let ending = state.ending { return .failure(ending) }
                state.continuation = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
        return try frames.get()
    }

    func receive(_ frame: [UInt8]) {
        let waiting = state.withLockedValue { state -> CheckedContinuation<Frames, Never>? in
            guard let continuation = state.continuation.take() else {
                state.frames.append(frame)
                return nil
            }
            return continuation
        }
        waiting?.resume(returning: .success([frame]))
    }

    /// Ends the wait. What has come can still be taken.
    func end(_ ending: Ending) {
        let waiting = state.withLockedValue { state in
            state.ending = ending
            return state.continuation.take()
        }
        waiting?.resume(returning: .failure(ending))
    }
}

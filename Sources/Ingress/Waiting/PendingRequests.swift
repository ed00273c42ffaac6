internal import Common
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import Queue

/// A client that waits for the frames of an answer.
protocol WaitingClient: Sendable {
    var id: InsertionID { get }
    /// The time at which the wait ends.
    var deadline: Deadline { get }

    /// Takes a sealed frame, as it came over Redis.
    func receive(_ sealed: [UInt8])

    /// Ends the wait. What has come can still be taken.
    func end(_ ending: PendingRequest.Ending)
}

/// The registry of this process's requests that wait for their answers, by insertion id.
final class PendingRequests: Sendable {
    private let requests = NIOLockedValueBox<[InsertionID: any WaitingClient]>([:])

    /// The number of requests that wait.
    var count: Int { requests.withLockedValue { $0.count } }

    /// The ids of the requests that wait.
    var ids: [InsertionID] { requests.withLockedValue { Array($0.keys) } }

    func register(_ id: InsertionID, deadline: Deadline) -> PendingRequest {
        let request = PendingRequest(id: id, deadline: deadline)
        register(request)
        return request
    }

    func register(_ client: any WaitingClient) { requests.withLockedValue { $0[client.id] = client } }

    /// Gives a sealed frame to the request that waits for it; drops it if none does.
    func receive(_ frame: [UInt8], for id: InsertionID) {
        requests.withLockedValue { $0[id] }?.receive(frame)
    }

    /// The answer is complete: nothing more is expected.
    func dismiss(_ id: InsertionID) {
        requests.withLockedValue { _ = $0.removeValue(forKey: id) }
    }

    /// Ends one wait early.
    /// - Returns: whether the request still waited.
    @discardableResult
    func abandon(_ id: InsertionID, as ending: PendingRequest.Ending) -> Bool {
        guard let request = requests.withLockedValue({ $0.removeValue(forKey: id) }) else { return false }
        request.end(ending)
        return true
    }

    /// Ends all waits.
    /// - Returns: the requests whose wait was ended.
    func abandonAll(as ending: PendingRequest.Ending) -> [any WaitingClient] {
        let all = requests.withLockedValue { requests in
            defer { requests = [:] }
            return Array(requests.values)
        }
        for request in all { request.end(ending) }
        return all
    }

    /// Ends the waits whose time is over.
    /// - Returns: the requests whose wait was ended.
    func abandonOverdue(at now: ContinuousClock.Instant = .now) -> [any WaitingClient] {
        let overdue = requests.withLockedValue { requests in
            let overdue = requests.values.filter { $0.deadline.isOver(at: now) }
            for request in overdue { requests.removeValue(forKey: request.id) }
            return overdue
        }
        for request in overdue { request.end(.deadline) }
        return overdue
    }
}

/// One request that waits for the frames of its answer.
final class PendingRequest: Sendable {
    /// The reason why the wait ended without the answer's end.
    enum Ending: Error, Equatable {
        /// The client closed its connection.
        case disconnected
        /// The time for the answer is over.
        case deadline
        /// This process stops.
        case stopped
    }

    /// A frame as it came.
    enum Arrival: Sendable, Equatable {
        /// Over Redis.
        case sealed([UInt8])
        /// From the worker in this process.
        case opened(ResponseFrame)

        /// Bytes that it holds.
        fileprivate var count: Int {
            switch self {
            case .sealed(let bytes): bytes.count
            case .opened(let frame): frame.body.count
            }
        }
    }

    /// The outcome of ``next()``.
    private typealias Next = Result<Arrival, Ending>

    private struct State {
        /// Frames that have come and were not taken.
        var frames = CircularBuffer<Arrival>()
        /// Their bytes.
        var held = 0
        var ending: Ending?
        var continuation: CheckedContinuation<Next, Never>?
    }

    let id: InsertionID
    /// The time at which the wait ends.
    let deadline: Deadline
    private let window: Int
    private let onRoom: @Sendable () -> Void
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - window: bytes that may wait before `hasRoom` is false. Callers check that, or rely on the sender's window.
    ///   - onRoom: called when there is room again.
    init(id: InsertionID, deadline: Deadline, window: Int = .max, onRoom: @escaping @Sendable () -> Void = {}) {
        self.id = id
        self.deadline = deadline
        self.window = window
        self.onRoom = onRoom
    }

    /// Whether fewer bytes wait to be taken than the window.
    var hasRoom: Bool { state.withLockedValue { $0.held < window } }

    /// The next frame. One task calls this.
    func next() async throws(Ending) -> Arrival {
        let next: Next = await withCheckedContinuation { continuation in
            let (ready, hasRoomAgain): (Next?, Bool) = state.withLockedValue { state in
                if let frame = state.frames.popFirst() {
                    let before = state.held
                    state.held -= frame.count
                    return (.success(frame), before >= window && state.held < window)
                }
                if let ending = state.ending { return (.failure(ending), false) }
                state.continuation = continuation
                return (nil, false)
            }
            if hasRoomAgain { onRoom() }
            if let ready { continuation.resume(returning: ready) }
        }
        return try next.get()
    }

    func receive(_ sealed: [UInt8]) { receive(.sealed(sealed)) }

    private func receive(_ frame: Arrival) {
        let waiting = state.withLockedValue { state -> CheckedContinuation<Next, Never>? in
            guard let continuation = state.continuation.take() else {
                state.frames.append(frame)
                state.held += frame.count
                return nil
            }
            return continuation
        }
        waiting?.resume(returning: .success(frame))
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

extension PendingRequest: WaitingClient {}

extension PendingRequest: LocalClient {
    /// Any loop will do: the reader is a task, which runs on none.
    var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.any() }

    func receive(_ frame: ResponseFrame) { receive(.opened(frame)) }
}

internal import NIOConcurrencyHelpers
internal import NIOCore

/// Pushes what a task reads of a call. For clients that have `withCall` alone, such as the mock. A pause holds back all
/// that is behind the head, an end without bytes too.
final class TaskTransfer: UpstreamTransfer {
    private struct State {
        /// Nil once the call has ended or was cancelled.
        var receiver: (any UpstreamReceiver)?
        var task: Task<Void, Never>?
        var isPaused = false
        /// Events that the event loop has not taken yet.
        var events: [UpstreamEvent] = []
        /// The reader, while it waits until it may ask for more.
        var waiter: CheckedContinuation<Void, Never>?

        var mayAsk: Bool { receiver == nil || !isPaused && !events.contains(where: \.isPiece) }
    }

    private let eventLoop: any EventLoop
    private let state: NIOLockedValueBox<State>

    init(on eventLoop: any EventLoop, to receiver: any UpstreamReceiver) {
        self.eventLoop = eventLoop
        state = NIOLockedValueBox(State(receiver: receiver))
    }

    func run(_ request: UpstreamRequest, patience: Duration?, by client: some UpstreamClient) {
        // allowed: it ends with the call, and `cancel` cancels it
        let task = Task { await self.read(request, patience: patience, by: client) }
        state.withLockedValue { if $0.receiver != nil { $0.task = task } }
    }

    func cancel() {
        let (task, waiter) = state.withLockedValue { state in
            state.receiver = nil
            state.events = []
            return (state.task.take(), state.waiter.take())
        }
        task?.cancel()
        waiter?.resume()
    }

    func pause() { state.withLockedValue { $0.isPaused = true } }

    func resume() {
        let waiter = state.withLockedValue { state in
            state.isPaused = false
            return state.mayAsk ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    private func read(_ request: UpstreamRequest, patience: Duration?, by client: some UpstreamClient) async {
        do {
            add(try await client.withCall(request) { try await self.read($0, patience: patience) })
        } catch let error as UpstreamError {
            add([.end(error)])
        } catch {
            add([.end(UpstreamError(.unavailable, "\(type(of: error))", requestMayHaveBeenSent: true))])
        }
    }

    /// Passes on what comes, and returns the last events, which belong together.
    private func read(_ call: any UpstreamCall, patience: Duration?) async throws(UpstreamError) -> [UpstreamEvent] {
        let head = try await call.head()
        let minimum = state.withLockedValue { $0.receiver }?.minimum(for: head) ?? 0
        add([.head(head)])
        while true {
            await mayAsk()
            guard let piece = try await call.next(minimum: minimum, patience: patience) else { return [.end(nil)] }
            if piece.isRest { return [.piece(piece), .end(await end(of: call))] }
            add([.piece(piece)])
        }
    }

    /// The error of a call that has no more bytes; nil if it ended well.
    private func end(of call: any UpstreamCall) async -> UpstreamError? {
        do throws(UpstreamError) { _ = try await call.next(minimum: 1, patience: nil) } catch { return error }
        return nil
    }

    private func mayAsk() async {
        await withCheckedContinuation { continuation in
            let mayAsk = state.withLockedValue { state in
                if !state.mayAsk { state.waiter = continuation }
                return state.mayAsk
            }
            if mayAsk { continuation.resume() }
        }
    }

    private func add(_ events: [UpstreamEvent]) {
        let mustWake = state.withLockedValue { state in
            guard state.receiver != nil else { return false }
            defer { state.events += events }
            return state.events.isEmpty
        }
        if mustWake { eventLoop.execute { self.deliver() } }
    }

    private func deliver() {
        while let (receiver, event) = takeEvent() { receiver.receive(event) }
        let waiter = state.withLockedValue { $0.mayAsk ? $0.waiter.take() : nil }
        waiter?.resume()
    }

    private func takeEvent() -> (any UpstreamReceiver, UpstreamEvent)? {
        state.withLockedValue { state in
            guard let receiver = state.receiver, !state.events.isEmpty else { return nil }
            let event = state.events.removeFirst()
            if case .end = event { (state.receiver, state.task) = (nil, nil) }
            return (receiver, event)
        }
    }
}

extension UpstreamEvent {
    fileprivate var isPiece: Bool { if case .piece = self { true } else { false } }
}

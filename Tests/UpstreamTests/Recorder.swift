import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import TestSupport

@testable import Common
@testable import Upstream

/// A receiver that keeps what it gets, and whether it got it as was promised.
final class Recorder: UpstreamReceiver {
    private struct State {
        var events: [UpstreamEvent] = []
        var heads: [UpstreamHead] = []
        var isForbidden = false
        var breaches: [String] = []
        var transfer: (any UpstreamTransfer)?
    }

    let eventLoop: any EventLoop
    let ended = TestSignal()
    private let minimum: Int
    private let onEvent: @Sendable (UpstreamEvent, Recorder) -> Void
    private let state = NIOLockedValueBox(State())

    init(
        on eventLoop: any EventLoop, minimum: Int = 1,
        onEvent: @escaping @Sendable (UpstreamEvent, Recorder) -> Void = { _, _ in }
    ) {
        self.eventLoop = eventLoop
        self.minimum = minimum
        self.onEvent = onEvent
    }

    var events: [UpstreamEvent] { state.withLockedValue { $0.events } }
    /// What was not as it should be.
    var breaches: [String] { state.withLockedValue { $0.breaches } }
    /// The heads that it was asked about.
    var heads: [UpstreamHead] { state.withLockedValue { $0.heads } }
    var transfer: (any UpstreamTransfer)? { state.withLockedValue { $0.transfer } }
    var body: [UInt8] { events.flatMap { if case .piece(let piece) = $0 { piece.bytes } else { [UInt8]() } } }
    /// Nil as long as the call has not ended.
    var end: UpstreamEvent? { events.last { if case .end = $0 { true } else { false } } }
    var error: UpstreamError? { if case .end(let error)? = end { error } else { nil } }

    /// Starts the call, on the event loop.
    @discardableResult
    func start(
        _ request: UpstreamRequest, by client: any UpstreamClient, patience: Duration? = nil, isPaused: Bool = false
    ) async throws -> Self {
        try await eventLoop.submit {
            let transfer = client.start(request, patience: patience, on: self.eventLoop, to: self)
            if isPaused { transfer.pause() }
            self.state.withLockedValue { $0.transfer = transfer }
        }.get()
        return self
    }

    /// Cancels the call; from then on every event is a breach. On the event loop.
    func cancel() {
        transfer?.cancel()
        state.withLockedValue { $0.isForbidden = true }
    }

    func minimum(for head: UpstreamHead) -> Int {
        state.withLockedValue { $0.heads.append(head) }
        return minimum
    }

    func receive(_ event: UpstreamEvent) {
        state.withLockedValue { state in
            if !eventLoop.inEventLoop { state.breaches.append("off the event loop: \(event)") }
            if state.isForbidden { state.breaches.append("after cancel: \(event)") }
            if !Self.may(event, follow: state.events.last) { state.breaches.append("out of order: \(event)") }
            state.events.append(event)
        }
        onEvent(event, self)
        if case .end = event { ended.send() }
    }

    private static func may(_ event: UpstreamEvent, follow last: UpstreamEvent?) -> Bool {
        switch (last, event) {
        case (nil, .head), (nil, .end), (.head, .piece), (.head, .end), (.piece, .end): true
        case (.piece(let piece), .piece): !piece.isRest
        default: false
        }
    }
}

/// A client that has of another one what every client has: the default `start`.
struct TaskOnly: UpstreamClient {
    let client: any UpstreamClient

    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        try await client.withCall(request, body)
    }
}

/// An event loop that counts what it is asked to do from outside.
final class CountingEventLoop: EventLoop {
    let executed = Counter()
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    var inEventLoop: Bool { loop.inEventLoop }

    func execute(_ task: @escaping @Sendable () -> Void) {
        executed.add()
        loop.execute(task)
    }

    func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> { loop.submit(task) }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        loop.scheduleTask(deadline: deadline, task)
    }

    func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        loop.scheduleTask(in: time, task)
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        loop.shutdownGracefully(queue: queue, callback)
    }
}

internal import Common
internal import NIOConcurrencyHelpers
internal import Upstream

/// Sends an answer as frames of its job, as fast as its reader takes them.
final class FrameWriter: ResponseSink {
    private struct State {
        var framer: ResponseFramer?
        var isEventStream = false
        var passed = 0
    }

    private let job: Job
    private let delivery: Delivery
    private let sender: ResponseSender
    private let control: CallControl
    private let state = NIOLockedValueBox(State())

    init(job: Job, delivery: Delivery, sender: ResponseSender, control: CallControl) {
        self.job = job
        self.delivery = delivery
        self.sender = sender
        self.control = control
    }

    func begin(_ head: UpstreamHead) async throws {
        state.withLockedValue { state in
            state.framer = ResponseFramer(head: head)
            state.isEventStream = head.isEventStream
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        // Other than an event, a piece waits for the next, so that a short answer leaves whole with the end of its job.
        let frames = state.withLockedValue { state in state.framer?.take(bytes, isWhole: !state.isEventStream) ?? [] }
        for frame in frames {
            try await sender.send(frame, of: job, in: delivery, control: control)
            let passed = state.withLockedValue { state in
                state.passed += frame.body.count
                return state.passed
            }
            await control.waitForCredit(passed - job.window, atMost: job.remaining())
            guard control.stop == nil, job.remaining() > .zero else { throw CancellationError() }
        }
    }

    /// The frame that ends a whole answer.
    func last() -> ResponseFrame? { state.withLockedValue { $0.framer?.last() } }

    /// The frame that ends an answer which could not be made: it is the answer if none has begun.
    func failure(_ error: GatewayError) -> ResponseFrame {
        let sequence = state.withLockedValue { $0.framer?.next ?? 0 }
        return sequence == 0 ? ResponseFrame(refusal: error) : ResponseFrame(sequence: sequence, end: .brokenOff(error))
    }
}

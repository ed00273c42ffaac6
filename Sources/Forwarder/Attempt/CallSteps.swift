internal import Common
internal import NIOCore
internal import Queue
internal import Upstream

/// A call's requests to the queue, as the owner of its job. Answers come on the call's event loop.
protocol CallSteps: Sendable {
    /// The reason why the call was ended from outside; nil if it was not.
    var stop: CallControl.Stop? { get }
    /// Bytes of the answer that the client had when it left; nil if it has not left, or that is not known.
    var handedOver: Int? { get }
    /// Whether the client is in this process.
    var isLocal: Bool { get }
    /// The meter of the job; nil: nothing is measured.
    var meter: CallMeter? { get }

    /// Whether the reader has taken `level` bytes. If not, `goOn` is called once it has, or once the call is ended. The
    /// call is ended at the job's deadline at the latest, since a killed reader reports nothing more.
    func hasCredit(_ level: Int, otherwise goOn: @escaping @Sendable () -> Void) -> Bool

    /// As ``ResponseSender/send(_:of:in:isConfirmed:control:on:completion:)``.
    func send(
        _ frame: ResponseFrame, isConfirmed: Bool, completion: @escaping @Sendable (ResponseSender.Sent) -> Void
    ) -> ResponseSender.Sent?

    /// As ``ResponseSender/finish(_:in:_:control:on:completion:)``.
    func finish(_ ending: ResponseSender.Ending, completion: @escaping @Sendable () -> Void)

    /// Hands the job back.
    func release(completion: @escaping @Sendable () -> Void)
}

extension CallSteps {
    var meter: CallMeter? { nil }
}

/// The steps of one delivery of a job.
struct DeliverySteps: CallSteps {
    let sender: ResponseSender
    private let shared: SharedJob
    let delivery: Delivery
    let control: CallControl
    let eventLoop: any EventLoop
    /// Whether the job's span is for the request log alone.
    var isRecord = false
    /// Whether the backend writes the completion's trace.
    var isTracedByBackend = false
    private let bound: NIOLoopBound<CallMeter>?

    var job: Job { shared.job }
    var stop: CallControl.Stop? { control.stop }
    var handedOver: Int? { control.handedOver }
    var isLocal: Bool { control.isLocal }
    var meter: CallMeter? { bound?.value }

    /// - Parameter meter: measures the job.
    init(
        sender: ResponseSender, job: Job, delivery: Delivery, control: CallControl, eventLoop: any EventLoop,
        meter: CallMeter?
    ) {
        self.sender = sender
        shared = SharedJob(job)
        self.delivery = delivery
        self.control = control
        self.eventLoop = eventLoop
        bound = meter.map { NIOLoopBound($0, eventLoop: eventLoop) }
    }

    /// The job's use of the limits on tokens before this delivery: another forwarder may have made the call.
    var spentBefore: TokensSpent { delivery.isTakenOver ? .unknown : .none }

    func hasCredit(_ level: Int, otherwise goOn: @escaping @Sendable () -> Void) -> Bool {
        if control.hasCredit(level) { return true }
        let deadline = NIOLoopBoundBox<Scheduled<Void>?>(nil, eventLoop: eventLoop)
        let hasCredit = control.hasCredit(level) {
            eventLoop.execute {
                deadline.value?.cancel()
                goOn()
            }
        }
        guard !hasCredit else { return true }
        deadline.value = eventLoop.scheduleTask(in: TimeAmount(max(shared.job.remaining(), .zero))) { [control] in
            control.expire()
        }
        return false
    }

    func send(
        _ frame: ResponseFrame, isConfirmed: Bool, completion: @escaping @Sendable (ResponseSender.Sent) -> Void
    ) -> ResponseSender.Sent? {
        sender.send(
            frame, of: shared.job, in: delivery, isConfirmed: isConfirmed, control: control, on: eventLoop,
            completion: completion)
    }

    func finish(_ ending: ResponseSender.Ending, completion: @escaping @Sendable () -> Void) {
        meter?.ends(shared.job, ending, stop: control.stop)
        var ending = ending
        ending.isRecord = isRecord
        ending.isTracedByBackend = isTracedByBackend
        sender.finish(shared, in: delivery, ending, control: control, on: eventLoop, completion: completion)
    }

    func release(completion: @escaping @Sendable () -> Void) {
        meter?.releases(shared.job)
        sender.release(delivery, on: eventLoop, completion: completion)
    }
}

/// Receives the events of one attempt's transfer, for its call.
final class CallReceiver: UpstreamReceiver {
    private let call: NIOLoopBound<Call>
    private let number: Int
    private let isStream: Bool
    private let window: Int

    /// - Parameter number: the attempt's.
    init(of call: Call, number: Int, of job: Job, on eventLoop: any EventLoop) {
        self.call = NIOLoopBound(call, eventLoop: eventLoop)
        self.number = number
        isStream = job.isStream
        window = job.window
    }

    func minimum(for head: UpstreamHead) -> Int {
        ResponseFramer.minimum(for: head, isStream: isStream, window: window)
    }

    func receive(_ event: UpstreamEvent) { call.value.receive(event, from: number) }
}

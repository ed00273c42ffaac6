internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Queue
internal import Upstream

/// One chat completion between its client's connection and the queue. It lives on the connection's event loop; what
/// others have to say to it comes through its inbox.
final class CompletionCall: WaitingClient, LocalClient {
    private enum Phase {
        /// The request's body comes.
        case reading(Reading)
        /// The job is queued, or about to be, and nothing of its answer was sent.
        case waiting(ResponseFrames)
        case answering(ResponseFrames, PendingResponseBody)
        case over
    }

    private struct Reading {
        var request: Request
        var path: GatewayPath
        var admitted: Authenticator.Admitted
        var body: BodyCollector
    }

    /// A message to the call from elsewhere.
    private enum News {
        case arrival(PendingRequest.Arrival)
        case ending(PendingRequest.Ending)
        case queued(RateStatus?)
        case refusal(GatewayError)
    }

    /// The state that the event loop alone touches.
    private struct State {
        var phase = Phase.over
        /// The request until it was let in.
        var request: (Request, GatewayPath)?
        weak var handler: CompletionChannelHandler?
        /// The answer's, once it has begun.
        var status = 0
        var rates = Rates.none
    }

    /// The answer's statement about the rate limits on which the job was counted.
    private enum Rates {
        case none
        /// Redis has not said yet. What came of the answer waits for it.
        case awaited([PendingRequest.Arrival])
        case known(RateStatus)
    }

    let id: InsertionID
    let deadline: Deadline
    let eventLoop: any EventLoop
    private let connection: Connection
    private let controller: CompletionController
    private let state: NIOLoopBoundBox<State>
    private let began = NIODeadline.now()
    private let isRollout: Bool
    private let inbox = NIOLockedValueBox<[News]>([])

    /// Called on the event loop.
    init(
        _ id: InsertionID, request: Request, path: GatewayPath, on eventLoop: any EventLoop,
        connection: Connection, controller: CompletionController,
        handler: CompletionChannelHandler
    ) {
        self.id = id
        self.eventLoop = eventLoop
        self.connection = connection
        self.controller = controller
        isRollout = path.isRollout
        deadline = Deadline(in: controller.jobs.timeout + controller.calls.grace)
        state = NIOLoopBoundBox(State(request: (request, path), handler: handler), eventLoop: eventLoop)
    }

    // From any thread.

    func receive(_ sealed: [UInt8]) { hear(.arrival(.sealed(sealed))) }

    func receive(_ frame: ResponseFrame) { hear(.arrival(.opened(frame))) }

    func end(_ ending: PendingRequest.Ending) { hear(.ending(ending)) }

    private func hear(_ news: News) {
        let isFirst = inbox.withLockedValue { inbox in
            inbox.append(news)
            return inbox.count == 1
        }
        guard isFirst else { return }
        if eventLoop.inEventLoop { readInbox() } else { eventLoop.execute { self.readInbox() } }
    }

    private func readInbox() {
        let all = inbox.withLockedValue { inbox in
            defer { inbox = [] }
            return inbox
        }
        for news in all {
            switch news {
            case .arrival(let arrival): take(arrival)
            case .ending(let ending): fail(GatewayError(ending))
            case .queued(let status): take(status)
            case .refusal(let error): fail(error)
            }
        }
    }
}

/// The request.
extension CompletionCall {
    /// Admits the request, or refuses it before its body was read: for its key, its project, or the size that it
    /// announces.
    func begin() {
        guard let (request, path) = state.value.request.take() else { return }
        var admitted: Authenticator.Admitted?
        do throws(GatewayError) {
            let found = try controller.authenticator.admitAtOnce(request, project: path.project)
            admitted = found
            state.value.phase = .reading(
                Reading(
                    request: request, path: path, admitted: found,
                    body: try controller.jobs.bodies.collector(for: request.headers)))
        } catch {
            note(error, of: request, path: path, admitted: admitted)
            answer(error)
        }
    }

    /// Takes a piece of the body. What comes of a request that was refused counts for nothing.
    func take(_ piece: ByteBuffer) {
        guard case .reading(let reading) = state.value.phase else { return }
        do throws(GatewayError) { try reading.body.take(piece) } catch {
            note(error, of: reading.request, path: reading.path, admitted: reading.admitted)
            answer(error)
        }
    }

    /// The body is here: queues the job.
    func endBody() {
        guard case .reading(let reading) = state.value.phase else { return }
        do {
            let job = try controller.jobs.jobAtOnce(
                for: reading.request, path: reading.path, admitted: reading.admitted, id: id,
                deadline: deadline - controller.calls.grace,
                body: reading.body.finish())
            try queue(job)
        } catch let error as GatewayError {
            note(error, of: reading.request, path: reading.path, admitted: reading.admitted)
            fail(error)
        } catch {
            controller.logger.error("request failed", metadata: ["insertion_id": "\(id)", "error": "\(error.kind)"])
            fail(.ingressFailed)
        }
    }

    /// Notes for the request log that the request is refused.
    private func note(
        _ error: GatewayError, of request: Request, path: GatewayPath, admitted: Authenticator.Admitted?
    ) {
        controller.calls.refusals?.note(
            controller.jobs.refusal(
                of: request, path: path, admitted: admitted, else: controller.authenticator.projectForRefusals, id: id,
                because: error))
    }

    private func queue(_ job: Job) throws {
        state.value.phase = .waiting(
            controller.calls.frames(
                of: id, deadline: deadline, window: job.window, sealedBy: job.ownSeal, logger: controller.logger))
        controller.calls.pending.register(self)
        // From now on, so that a client that leaves meanwhile is seen to.
        let isOpen = connection.watch { [id, deadline, calls = controller.calls] handedOver in
            calls.leave(id, deadline: deadline, handedOver: handedOver)
        }
        guard isOpen else { throw GatewayError(.disconnected) }
        let isCounted = !job.charges.isEmpty
        if isCounted { state.value.rates = .awaited([]) }
        try controller.calls.enqueue(job, for: self) { [self] result in
            switch result {
            case .success(let status): if isCounted { hear(.queued(status)) }
            case .failure(let error): hear(.refusal(error))
            }
        }
    }
}

/// The answer.
extension CompletionCall {
    private func take(_ status: RateStatus?) {
        guard case .awaited(let arrivals) = state.value.rates else { return }
        state.value.rates = status.map { .known($0) } ?? .none
        for arrival in arrivals { take(arrival) }
    }

    private func take(_ arrival: PendingRequest.Arrival) {
        if case .awaited(let earlier) = state.value.rates {
            state.value.rates = .awaited(earlier + [arrival])
            return
        }
        switch state.value.phase {
        case .reading, .over: return
        case .waiting(let frames):
            guard let frame = frames.take(arrival) else { return }
            begin(frame, frames)
        case .answering(let frames, let body):
            guard let frame = frames.take(arrival) else { return }
            pass(frame, of: frames, to: body)
        }
    }

    private func begin(_ frame: ResponseFrame, _ frames: ResponseFrames) {
        guard let head = frame.head else {
            if case .brokenOff(let error)? = frame.end { return fail(error) }
            return fail(.ingressFailed)
        }
        var response = HTTPResponse(status: .init(code: head.status), headerFields: HTTPFields(head.headers))
        guard case .complete? = frame.end else {
            state.value.handler?.begin(withOwnHeaders(&response), nil, isWhole: false)
            return pass(frame, of: frames, to: PendingResponseBody(isEventStream: head.isEventStream))
        }
        response.headerFields[.contentLength] = String(frame.body.count)
        close()
        state.value.handler?.begin(withOwnHeaders(&response), ByteBuffer(bytes: frame.body), isWhole: true)
        measure()
    }

    private func pass(_ frame: ResponseFrame, of frames: ResponseFrames, to body: PendingResponseBody) {
        var body = body
        let bytes = frame.body.isEmpty ? [] : body.take(frame.body)
        state.value.phase = .answering(frames, body)
        write(bytes) { [count = frame.body.count] in frames.took(count) }
        guard let end = frame.end else { return }
        close()
        defer { measure() }
        do throws(GatewayError) {
            write(try body.rest(before: end)) {}
            state.value.handler?.end()
        } catch {
            state.value.handler?.breakOff()
        }
    }

    private func write(_ bytes: [UInt8], taken: @escaping @Sendable () -> Void) {
        if bytes.isEmpty { taken() } else { state.value.handler?.write(ByteBuffer(bytes: bytes), taken: taken) }
    }

    /// Ends the call without an answer of a provider, or in the middle of one.
    private func fail(_ error: GatewayError) {
        switch state.value.phase {
        case .over: return
        case .reading, .waiting:
            close()
            answer(error)
        case .answering(let frames, let body):
            pass(ResponseFrame(sequence: .max, end: .brokenOff(error)), of: frames, to: body)
        }
    }

    /// Answers with an error of the gateway's own.
    private func answer(_ error: GatewayError) {
        state.value.phase = .over
        var response = error.response.head
        state.value.handler?.begin(withOwnHeaders(&response), ByteBuffer(bytes: error.json), isWhole: true)
        controller.metrics?.refused(error)
        measure()
    }

    /// Counts the request, whose answer has ended.
    private func measure() {
        controller.metrics?.answered(
            isRollout ? .rollout : .completion, status: state.value.status, in: NIODeadline.now() - began)
    }

    private func close() {
        state.value.phase = .over
        connection.unwatch()
        controller.calls.pending.dismiss(id)
    }

    /// Writes on an answer what all of them say.
    private func withOwnHeaders(_ response: inout HTTPResponse) -> HTTPResponse {
        state.value.status = response.status.code
        response.headerFields.sandbox()
        if case .known(let status) = state.value.rates { status.addHeaders(to: &response.headerFields) }
        controller.identity.addHeaders(to: &response.headerFields, of: id)
        response.headerFields[.date] = controller.date.now
        return response
    }
}

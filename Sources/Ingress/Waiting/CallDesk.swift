internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Queues a job, waits for its answer and hands the answer to the client as it comes.
struct CallDesk: Sendable {
    let admission: JobAdmission
    let room: WaitingRoom
    let desk: NewsDesk
    let envelope: Envelope
    /// How long past the job's deadline the answer that says so is waited for.
    let grace: UInt64 = 2000
    let onDisconnect: DisconnectPolicy

    /// - Parameter connection: the client's; nil if it has closed. What was read of a request from a closed connection may be a part of it only: Hummingbird
    ///   takes the connection's end for the body's.
    func answer(_ job: Job, to connection: Connection?, logger: Logger) async throws -> Response {
        let waiter = room.admit(job.insertionID, deadline: job.deadline + grace)
        let isThere = connection?.watch { [room, desk, onDisconnect] in
            guard room.abandon(job.insertionID, as: .disconnected), onDisconnect == .cancel else { return }
            desk.cancel(job.insertionID, deadline: job.deadline)
        }
        guard let connection, isThere == true else {
            room.dismiss(job.insertionID)
            throw GatewayError(.disconnected)
        }
        try await enqueue(job, for: connection)
        let answer = Answer(waiter: waiter, envelope: envelope, desk: desk, window: job.window, logger: logger)
        let first: ResponseFrame
        do throws(Waiter.Ending) { first = try await answer.next() } catch { throw GatewayError(error) }
        guard let head = first.head else {
            close(job, connection)
            if case .brokenOff(let error)? = first.end { throw error }
            throw GatewayError.internalError
        }
        var response = Response(status: .init(code: head.status), headers: HTTPFields(head.headers))
        if case .complete? = first.end {
            close(job, connection)
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: first.body))
        } else {
            response.body = stream(answer, from: first, of: job, to: connection)
        }
        return response
    }

    private func enqueue(_ job: Job, for connection: Connection) async throws {
        do {
            switch try await admission.enqueue(job) {
            case .queued: return
            case .tooManyEntries: throw GatewayError.queueFull("QUEUE_LIMIT")
            case .tooManyBytes: throw GatewayError.queueFull("QUEUE_BYTES")
            case .notASet: throw GatewayError.notASet
            }
        } catch {
            close(job, connection)
            guard let redisError = error as? RedisError else { throw error }
            // Nobody waits for it any longer; if it was queued all the same, it must not run.
            if redisError.mayHaveBeenExecuted { desk.cancel(job.insertionID, deadline: job.deadline) }
            throw GatewayError.queueUnavailable
        }
    }

    private func close(_ job: Job, _ connection: Connection) {
        connection.unwatch()
        room.dismiss(job.insertionID)
    }

    /// The rest of an answer whose first frame is here.
    private func stream(_ answer: Answer, from first: ResponseFrame, of job: Job, to connection: Connection) -> ResponseBody {
        let isEventStream = first.head?.headers.first(named: "content-type")?.lowercased().hasPrefix("text/event-stream") ?? false
        return ResponseBody { [self] writer in
            var frame = first
            do {
                while true {
                    if !frame.body.isEmpty {
                        try await writer.write(ByteBuffer(bytes: frame.body))
                        answer.took(frame.body.count)
                    }
                    if let end = frame.end {
                        close(job, connection)
                        if let event = try Self.event(for: end, isEventStream: isEventStream) { try await writer.write(ByteBuffer(bytes: event)) }
                        return try await writer.finish(nil)
                    }
                    do throws(Waiter.Ending) { frame = try await answer.next() } catch {
                        frame = ResponseFrame(sequence: .max, end: .brokenOff(GatewayError(error)))
                    }
                }
            } catch {
                // The client does not take it. Where its connection closed, the watch has already said so; saying it twice harms nothing.
                close(job, connection)
                if frame.end == nil, onDisconnect == .cancel { desk.cancel(job.insertionID, deadline: job.deadline) }
                throw error
            }
        }
    }

    /// What is still to be said at an answer's end: the error that broke it off. Where its form has no place for one, the only honest end of a body is a broken
    /// connection, which the error makes.
    private static func event(for end: ResponseFrame.End, isEventStream: Bool) throws -> [UInt8]? {
        guard case .brokenOff(let error) = end else { return nil }
        guard isEventStream else { throw error }
        return error.serverSentEvent
    }
}

extension HTTPFields {
    /// The headers that a forwarder let through.
    fileprivate init(_ headers: [HeaderField]) {
        self.init()
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            append(HTTPField(name: name, value: header.value))
        }
    }
}

extension GatewayError {
    fileprivate static func queueFull(_ setting: String) -> GatewayError {
        GatewayError(
            status: 429, type: "rate_limit_error", code: "queue_full",
            message: "The queue is full (\(setting)). Try again later; nothing was recorded. More forwarders empty it faster.", retryAfter: 2)
    }

    fileprivate static let notASet = GatewayError.invalidRequest(
        code: "rollout_id_taken", "Redis holds something else than a rollout under this rollout_id. Choose another rollout_id.", param: "rollout_id")

    fileprivate static let queueUnavailable = GatewayError(
        status: 503, type: "server_error", code: "queue_unavailable",
        message: "The gateway's queue (Redis) cannot be reached. Try again; nothing waits in it for this request.", retryAfter: 1)

    fileprivate init(_ ending: Waiter.Ending) {
        switch ending {
        case .disconnected:
            self.init(status: 499, type: "server_error", code: "client_closed_request", message: "The client closed its connection.")
        case .deadline:
            self.init(
                status: 504, type: "server_error", code: "no_answer_in_time",
                message: "No forwarder answered within REQUEST_TIMEOUT. See /ready for live forwarders; the call may have been made.",
                shouldRetry: false)
        case .stopped:
            self.init(
                status: 503, type: "server_error", code: "shutting_down",
                message: "This ingress is stopping, and the call may have been made.", retryAfter: 1, shouldRetry: false)
        }
    }
}

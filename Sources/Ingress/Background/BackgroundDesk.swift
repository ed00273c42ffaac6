internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Completions whose answers are fetched later (`Prefer: respond-async`, RFC 7240 §4.1), at any ingress, by whoever asked for them.
struct BackgroundDesk: Sendable {
    /// The longest that `?wait=` may ask for, in seconds.
    private static let longestWait = 300.0

    let calls: CallDesk
    let records: JobRecords
    let follower: AnswerFollower
    let desk: NewsDesk
    let envelope: Envelope
    let defaultProject: String

    /// Queues a job and says where its answer will be.
    func accept(_ job: Job) async throws -> Response {
        try await calls.enqueue(job)
        var response = try await status(of: job.insertionID, record(of: job.insertionID))
        response.headers[.location] = location(of: job)
        response.headers[.preferenceApplied] = "respond-async"
        return response
    }

    /// Answers a request for a job: `GET` its answer, `DELETE` the job.
    func respond(
        to request: Request, for id: InsertionID, admitted: Entrance.Admitted, connection: Connection?, logger: Logger
    ) async throws -> Response {
        let record = try await record(of: id)
        // The same answer for what is not there and for what is another's.
        guard let record, record.project == admitted.project, record.account == admitted.account?.id else { throw GatewayError.unknownJob }
        switch request.method {
        case .get, .head: return try await fetch(request, id, record, connection, logger)
        case .delete: return cancel(id, record)
        default:
            let error = GatewayError.invalidRequest(405, code: "method_not_allowed", "A job is fetched with GET and cancelled with DELETE.")
            var response = error.response
            response.headers[.allow] = "GET, HEAD, DELETE"
            return response
        }
    }

    private func fetch(
        _ request: Request, _ id: InsertionID, _ record: JobRecords.Record, _ connection: Connection?, _ logger: Logger
    ) async throws -> Response {
        if request.headers[.accept]?.lowercased().contains("text/event-stream") ?? false {
            return try await stream(id, record, after: try lastEvent(of: request), connection, logger)
        }
        let wait = try wait(of: request)
        if let answer = answer(id, try await frames(of: id), logger) { return try await answer.response(.nothing) }
        if wait > 0, let late = await frames(of: id, until: UnixTime.milliseconds + wait, connection), let answer = answer(id, late, logger) {
            return try await answer.response(.nothing)
        }
        return try await status(of: id, self.record(of: id))
    }

    /// Streams the answer, from the beginning or behind the event that the client has.
    private func stream(
        _ id: InsertionID, _ record: JobRecords.Record, after last: Int, _ connection: Connection?, _ logger: Logger
    ) async throws -> Response {
        let waiter = await follower.follow(id, deadline: max(record.deadline, UnixTime.milliseconds) + calls.grace)
        let leave = { @Sendable in follower.leave(waiter) }
        guard let connection, connection.watch(leave) else {
            leave()
            throw GatewayError(.disconnected)
        }
        let end = { @Sendable in
            connection.unwatch()
            leave()
        }
        let answer = Answer(waiter: waiter, envelope: envelope, desk: desk, window: .max, logger: logger)
        return try await answer.response(.init(finished: end, abandoned: end), numbering: EventNumbering(after: last))
    }

    /// The answer that `frames` hold, if they hold its end.
    private func answer(_ id: InsertionID, _ frames: [[UInt8]], _ logger: Logger) -> Answer? {
        guard let last = frames.last, let frame = try? ResponseFrame(wireBytes: envelope.open(last, for: .frame(id))), frame.end != nil else {
            return nil
        }
        let waiter = Waiter(id: id, deadline: 0)
        for frame in frames { waiter.receive(frame) }
        waiter.end(.deadline)
        return Answer(waiter: waiter, envelope: envelope, desk: desk, window: .max, logger: logger)
    }

    /// All frames of an answer, once its end is there; nil if it is not there in time or the client goes away.
    private func frames(of id: InsertionID, until deadline: UInt64, _ connection: Connection?) async -> [[UInt8]]? {
        let waiter = await follower.follow(id, deadline: deadline)
        defer {
            connection?.unwatch()
            follower.leave(waiter)
        }
        guard let connection, connection.watch({ follower.leave(waiter) }) else { return nil }
        // Somebody else's wait may bring frames twice; what is kept in Redis is each once.
        while let more = try? await waiter.next() {
            guard let last = more.last, let frame = try? ResponseFrame(wireBytes: envelope.open(last, for: .frame(id))) else { continue }
            if frame.end != nil { return try? await records.frames(of: id) }
        }
        return nil
    }

    private func cancel(_ id: InsertionID, _ record: JobRecords.Record) -> Response {
        desk.cancel(id, deadline: record.deadline)
        return json(.accepted, #"{"id":"\#(id)","object":"job","status":"cancelling"}"#)
    }

    /// 202: the job waits or runs.
    private func status(of id: InsertionID, _ record: JobRecords.Record?) throws -> Response {
        guard let record else { throw GatewayError.unknownJob }
        let age = Double(Int(clamping: UnixTime.milliseconds) - Int(clamping: record.queuedAt)) / 1000
        let state = record.position == 0 ? "running" : "queued"
        let position = record.position.map(String.init) ?? "null"
        var response = json(.accepted, #"{"id":"\#(id)","object":"job","status":"\#(state)","position":\#(position),"age_seconds":\#(max(age, 0))}"#)
        response.headers[.retryAfter] = "1"
        return response
    }

    private func location(of job: Job) -> String {
        let project = job.project == defaultProject ? "" : "/project_id/\(PercentEncoding.segment(job.project))"
        return "/v1\(project)/jobs/\(job.insertionID)"
    }

    private func record(of id: InsertionID) async throws -> JobRecords.Record? {
        do { return try await records.record(of: id) } catch { throw GatewayError.queueUnavailable }
    }

    private func frames(of id: InsertionID) async throws -> [[UInt8]] {
        do { return try await records.frames(of: id) } catch { throw GatewayError.queueUnavailable }
    }

    /// Milliseconds that the client wants to wait.
    private func wait(of request: Request) throws -> UInt64 {
        guard let text = request.uri.queryParameters["wait"] else { return 0 }
        guard let seconds = Double(text), (0...Self.longestWait).contains(seconds) else {
            throw GatewayError.invalidRequest(
                code: "invalid_wait", "The query's `wait` is not a number of seconds from 0 to \(Int(Self.longestWait)). Write it like ?wait=30.",
                param: "wait")
        }
        return UInt64(seconds * 1000)
    }

    private func lastEvent(of request: Request) throws -> Int {
        guard let text = request.headers[.lastEventID] else { return 0 }
        guard let number = Int(text), number >= 0 else {
            throw GatewayError.invalidRequest(
                code: "invalid_last_event_id", "Last-Event-ID is not the id of an event of this stream. Send the last one that you got, or none.",
                param: "last-event-id")
        }
        return number
    }

    private func json(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension Answer.Outcome {
    /// For an answer that is whole, and that nobody waits for.
    fileprivate static let nothing = Answer.Outcome(finished: {}, abandoned: {})
}

extension GatewayError {
    fileprivate static let unknownJob = GatewayError(
        status: 404, type: "not_found_error", code: "unknown_job",
        message:
            "There is no such job of this project and account, or its answer is no longer kept (an hour). Check the id and the project in the path.",
        shouldRetry: false)
}

extension HTTPField.Name {
    fileprivate static let preferenceApplied = HTTPField.Name("Preference-Applied") ?? .expect
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .expect
    static let prefer = HTTPField.Name("Prefer") ?? .expect
}

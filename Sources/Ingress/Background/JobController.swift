internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import Queue
internal import Redis

/// Completions whose answers their clients fetch later (`Prefer: respond-async`, RFC 7240 §4.1), at any ingress.
struct JobController: Sendable {
    /// The longest that `?wait=` may ask for, in seconds.
    private static let longestWait = 300.0

    let calls: JobDispatcher
    let kept: KeptResponses
    let tailer: ResponseTailer
    let signals: SignalPublisher
    let defaultProject: String

    /// Queues a job and says where its answer will be.
    func accept(_ job: Job) async throws -> Response {
        let (id, rates) = try await calls.enqueue(job)
        // A request that was made before may have its answer.
        let isAnswered = id == job.insertionID ? false : try await isAnswered(id)
        let record: JobRecords.Record?
        do throws(GatewayError) { record = try await self.record(of: id) } catch {
            // The job is on the queue, even if Redis is away by now.
            guard id == job.insertionID else { throw error }
            record = JobRecords.record(of: job)
        }
        var response = try status(of: id, record, isAnswered: isAnswered)
        response.headers[.insertionID] = id.description
        response.headers[.location] = location(of: id, project: job.project)
        response.headers[.preferenceApplied] = "respond-async"
        rates?.addHeaders(to: &response.headers)
        return response
    }

    /// Gives a job's answer, or says where it stands.
    func fetch(_ call: AdmittedRequest) async throws -> Response {
        let (id, record) = try await job(of: call)
        return try await fetch(call.request, id: id, record: record, connection: call.connection, logger: call.logger)
    }

    func cancel(_ call: AdmittedRequest) async throws -> Response {
        let (id, record) = try await job(of: call)
        signals.cancel(id, deadline: Deadline(at: record.deadline))
        return accepted { writer in
            writer.member("id", id.description)
            writer.member("object", "job")
            writer.member("status", "cancelling")
        }
    }

    /// Refuses another method, of a job that there is.
    func refuseMethod(_ call: AdmittedRequest) async throws -> Response {
        _ = try await job(of: call)
        var response = GatewayError.invalidRequest(
            405, code: "method_not_allowed", "A job is fetched with GET and cancelled with DELETE."
        ).response
        response.headers[.allow] = "GET, HEAD, DELETE"
        return response
    }

    /// - Throws: the same 404 for what is not there and for what is another's.
    private func job(of call: AdmittedRequest) async throws -> (InsertionID, JobRecords.Record) {
        guard let id = InsertionID(call.parameter), let record = try await self.record(of: id),
            record.project == call.project, record.account == call.admitted.account?.id
        else { throw GatewayError.unknownJob }
        return (id, record)
    }

    private func fetch(
        _ request: Request, id: InsertionID, record: JobRecords.Record, connection: Connection?, logger: Logger
    ) async throws -> Response {
        let wait = try wait(of: request)
        let numbering = try request.wantsEvents ? EventNumbering(after: lastEvent(of: request)) : nil
        var state = try await kept.state(of: id)
        if numbering == nil, case .running = state, await isAnswered(id, within: wait, connection) {
            state = try await kept.state(of: id)
        }
        if case .running = state, record.isOverdue(at: .now) {
            return GatewayError.neverEnded.response(of: id)
        }
        switch state {
        case .failed(let error): return error.response(of: id)
        case .running where numbering == nil: return try await status(of: id, self.record(of: id))
        case .running, .ended:
            return try await calls.follow(
                id, deadline: Deadline(at: record.deadline), to: connection, numbering: numbering,
                logger: logger)
        }
    }

    /// Whether all of the answer is there.
    private func isAnswered(_ id: InsertionID) async throws -> Bool {
        if case .running = try await kept.state(of: id) { false } else { true }
    }

    /// Waits until all of the answer is there.
    /// - Parameter wait: milliseconds.
    /// - Returns: false if it is not there in time or the client goes away.
    private func isAnswered(_ id: InsertionID, within wait: UInt64, _ connection: Connection?) async -> Bool {
        guard wait > 0 else { return false }
        let pending = tailer.follow(id, deadline: Deadline(in: .milliseconds(wait)))
        defer {
            connection?.unwatch()
            tailer.leave(pending)
        }
        guard let connection, connection.watch({ _ in tailer.leave(pending) }) else { return false }
        while case .sealed(let frame)? = try? await pending.next() {
            if kept.isEnd(frame, of: id) { return true }
        }
        return false
    }

    /// 202: the job waits or runs, or its answer can be fetched.
    private func status(of id: InsertionID, _ record: JobRecords.Record?, isAnswered: Bool = false) throws -> Response {
        guard let record else { throw GatewayError.unknownJob }
        let age = Double(Timestamp.now.milliseconds(since: record.queuedAt)) / 1000
        let state = isAnswered ? "completed" : record.position == 0 ? "running" : "queued"
        var response = accepted { writer in
            writer.member("id", id.description)
            writer.member("object", "job")
            writer.member("status", state)
            writer.member("position", record.position.map { Double($0) })
            // Seconds have a fraction always, such as `3.0`; the writer would leave that one out.
            writer.member("age_seconds") { $0.raw(String(age)) }
        }
        response.headers[.retryAfter] = "1"
        return response
    }

    private func location(of id: InsertionID, project: String) -> String {
        let project = project == defaultProject ? "" : "/project_id/\(PercentEncoding.segment(project))"
        return "/v1\(project)/jobs/\(id)"
    }

    private func record(of id: InsertionID) async throws(GatewayError) -> JobRecords.Record? {
        do throws(RedisError) { return try await kept.records.record(of: id) } catch { throw .queueUnavailable(error) }
    }

    /// Milliseconds that the client wants to wait.
    private func wait(of request: Request) throws -> UInt64 {
        guard let text = request.uri.queryParameters["wait"] else { return 0 }
        guard let seconds = Double(text), (0...Self.longestWait).contains(seconds) else {
            throw GatewayError.invalidRequest(
                code: "invalid_wait",
                "The query's `wait` is not a number of seconds from 0 to \(Int(Self.longestWait)). Write it like ?wait=30.",
                param: "wait")
        }
        return UInt64(seconds * 1000)
    }

    private func lastEvent(of request: Request) throws -> Int {
        guard let text = request.headers[.lastEventID] else { return 0 }
        guard let number = Int(text), number >= 0 else {
            throw GatewayError.invalidRequest(
                code: "invalid_last_event_id",
                "Last-Event-ID is not the id of an event of this stream. Send the last one that you got, or none.",
                param: "last-event-id")
        }
        return number
    }

    /// 202 with one JSON object, whose members `body` writes.
    private func accepted(_ body: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.object(body)
        return Response(
            status: .accepted, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}

extension Request {
    fileprivate var wantsEvents: Bool { HTTPSyntax.acceptsEvents(headers[.accept]) }
}

extension JobRecords.Record {
    /// The time after a job's deadline within which a worker ends it, another one's jobs too.
    private static let grace = Duration.seconds(60)

    /// Whether the job would have ended long ago if a worker had it.
    func isOverdue(at now: Timestamp) -> Bool { now.elapsed(since: deadline) > Self.grace }
}

extension GatewayError {
    fileprivate static let neverEnded = GatewayError(
        status: 502, type: "server_error", code: "job_lost",
        message:
            "The job's time (REQUEST_TIMEOUT) is over, and no forwarder has said how it ended: Redis lost it, or no "
            + "forwarder that can read it runs. Whether its call was made is not known; send the request again if it "
            + "may be made twice.",
        shouldRetry: false)

    fileprivate static let unknownJob = GatewayError(
        status: 404, type: "not_found_error", code: "unknown_job",
        message:
            "There is no such job of this project and account, or its answer is no longer kept. Check the id and the project in the path.",
        shouldRetry: false)
}

extension HTTPField.Name {
    fileprivate static let preferenceApplied = HTTPField.Name(constant: "Preference-Applied")
    fileprivate static let lastEventID = HTTPField.Name(constant: "Last-Event-ID")
    static let prefer = HTTPField.Name(constant: "Prefer")
}

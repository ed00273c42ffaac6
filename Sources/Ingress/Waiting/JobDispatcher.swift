internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Queue
internal import Redis

/// Queues a job, waits for its answer and hands the answer to the client as it comes.
struct JobDispatcher: Sendable {
    let admission: JobAdmission
    let pending: PendingRequests
    let tailer: ResponseTailer
    let kept: KeptResponses
    let signals: SignalPublisher
    /// The worker in this process; nil if it has none.
    var local: LocalWorker?
    let envelope: Envelope
    let watch: RedisWatch
    let rateAudit: RateAudit
    /// The log of calls that the queue does not take; nil where nothing logs requests.
    var refusals: RecordLog?
    /// The time past a job's deadline for which its client still waits, so that a worker can say that the time is over.
    let grace = Duration.seconds(2)

    /// Queues a job whose answer the client waits for.
    /// - Parameter connection: the client's; nil if it has closed. What was read of a request from a closed connection
    ///   may be a part of it only: Hummingbird takes the connection's end for the body's.
    func begin(_ job: Job, for connection: Connection?) async throws -> DispatchedJob {
        guard let connection, !connection.isClosed else { throw GatewayError(.disconnected) }
        var call = DispatchedJob(
            id: job.insertionID, deadline: job.deadline, window: job.window, seal: job.ownSeal, request: nil)
        guard !job.isFetchable else {
            do {
                (call.id, call.rates) = try await enqueue(job)
            } catch let error as GatewayError where error.isOfFullKeep {
                guard let unkept = job.unkept else { throw error }
                return try await begin(unkept, for: connection)
            }
            call.isRepeated = call.id != job.insertionID
            return call
        }
        let request = pending.register(call.id, deadline: call.deadline + grace)
        call.request = request
        do {
            // From now on, so that a client that leaves meanwhile is seen to.
            guard connection.watch({ [call] in leave(call.id, deadline: call.deadline, handedOver: $0) }) else {
                throw GatewayError(.disconnected)
            }
            call.rates = try await enqueue(job, for: request).rates
            return call
        } catch {
            close(call, connection)
            throw error
        }
    }

    /// Waits for the answer and hands it to the client as it comes.
    func answer(_ call: DispatchedJob, to connection: Connection?, logger: Logger) async throws -> Response {
        var response = try await ownAnswer(call, to: connection, logger: logger)
        call.rates?.addHeaders(to: &response.headers)
        return response
    }

    private func ownAnswer(_ call: DispatchedJob, to connection: Connection?, logger: Logger) async throws -> Response {
        guard let request = call.request else {
            if call.isRepeated, case .failed(let error) = try await kept.state(of: call.id) {
                return error.response(of: call.id)
            }
            return try await follow(call.id, deadline: call.deadline, to: connection, logger: logger)
        }
        let answer = PendingResponse(
            request: request,
            frames: frames(
                of: call.id, deadline: request.deadline, window: call.window, sealedBy: call.seal, logger: logger))
        return try await answer.response(
            DeliveryOutcome(finished: { close(call, connection) }) {
                // Where its connection closed, the watch has already said so; saying it twice harms nothing.
                leave(call.id, deadline: call.deadline, handedOver: connection?.handedOver)
                close(call, connection)
            })
    }

    /// Hands on an answer that is kept under its job's own key, from its beginning. It goes on without its client.
    /// - Parameters:
    ///   - deadline: how long more of it is waited for.
    ///   - numbering: numbers the events of an answer that is a stream of them.
    func follow(
        _ id: InsertionID, deadline: Deadline, to connection: Connection?, numbering: EventNumbering? = nil,
        logger: Logger
    ) async throws -> Response {
        let request = tailer.follow(id, deadline: deadline.orNow + grace)
        guard let connection, connection.watch({ _ in tailer.leave(request) }) else {
            tailer.leave(request)
            throw GatewayError(.disconnected)
        }
        let close = { @Sendable in
            connection.unwatch()
            tailer.leave(request)
        }
        let answer = PendingResponse(
            request: request, frames: frames(of: id, deadline: request.deadline, window: .max, logger: logger))
        var response = try await answer.response(
            DeliveryOutcome(finished: close, abandoned: close), numbering: numbering)
        response.headers[.insertionID] = id.description
        return response
    }

    /// Puts the frames of an answer in order.
    /// - Parameters:
    ///   - deadline: when its client stops waiting.
    ///   - seal: that of its job; nil: the gateway's key seals it.
    func frames(
        of id: InsertionID, deadline: Deadline, window: Int, sealedBy seal: OwnSeal? = nil, logger: Logger
    ) -> ResponseFrames {
        ResponseFrames(
            of: id, deadline: deadline, envelope: seal?.envelope ?? envelope, signals: signals, window: window,
            logger: logger)
    }

    /// Puts a job on the queue, or says why it cannot be there. A refused job leaves nothing behind, unless Redis may
    /// have taken it without saying so: then it is cancelled.
    /// - Parameter request: takes the answer, if the worker in this process may make the call; nil: the answer is to be
    ///   kept in Redis.
    /// - Returns: the job whose answer it is: this one, or the one that the request was before; and what is left of
    ///   the rate limits that it was counted on.
    func enqueue(_ job: Job, for request: PendingRequest? = nil) async throws -> (id: InsertionID, rates: RateStatus?) {
        do {
            try checkKey()
            return try result(of: job, after: try await admission.enqueue(job, on: local, for: request))
        } catch let error as RedisError {
            throw noted(refusal(of: job, because: error), job)
        } catch let error as GatewayError {
            throw noted(error, job)
        }
    }

    private func noted(_ error: GatewayError, _ job: Job) -> GatewayError {
        // It is queued another way.
        if job.unkept != nil, error.isOfFullKeep { return error }
        refusals?.note(Refusal(job, because: error))
        return error
    }

    /// The same for a client that is served without a task.
    /// - Parameters:
    ///   - client: takes the answer.
    ///   - completion: called on an event loop. It gets what is left of the rate limits on which the job was counted.
    ///     If the job is not queued, or may not be, it gets the client's error.
    /// - Throws: the client's error, if it is known at once; `completion` is not called then.
    func enqueue(
        _ job: Job, for client: any LocalClient,
        completion: @escaping @Sendable (Result<RateStatus?, GatewayError>) -> Void
    ) throws {
        try checkKey()
        try admission.enqueue(job, on: local, for: client) { [self] result in
            completion(
                Result { () throws(GatewayError) in
                    switch result {
                    case .success(let outcome):
                        do throws(GatewayError) {
                            return try self.result(of: job, after: outcome).rates
                        } catch { throw noted(error, job) }
                    case .failure(let error): throw noted(refusal(of: job, because: error), job)
                    }
                })
        }
    }

    /// No worker there could read a job under another key, and its answer could not be read here.
    private func checkKey() throws(GatewayError) {
        if watch.trouble == .otherKey { throw .otherKey }
    }

    /// The job whose answer it is, and what is left of its rate limits.
    private func result(
        of job: Job, after outcome: JobAdmission.Outcome
    ) throws(GatewayError) -> (id: InsertionID, rates: RateStatus?) {
        switch outcome {
        case .queued(_, let usage):
            rateAudit.note(job, usage)
            return (job.insertionID, RateStatus(job.charges, usage))
        case .repeats(let id): return (id, nil)
        case .overLimit(let charge, let usage):
            guard job.charges.indices.contains(charge) else { throw .ingressFailed }
            throw GatewayError(overLimit: job.charges[charge], usage)
        case .anotherRequest: throw .anotherRequest
        case .tooManyEntries: throw .queueFull("QUEUE_LIMIT")
        case .tooManyBytes: throw .queueFull("QUEUE_BYTES")
        case .notASet: throw .notASet
        case .tooManySpans: throw .tooManySpans
        case .tooMuchKept: throw .keepIsFull
        case .tooLate: throw .queueUnavailable
        }
    }

    /// The error for a client whose job Redis did not take, or may have taken.
    private func refusal(of job: Job, because error: RedisError) -> GatewayError {
        // A client that can repeat its request finds the job, if there is one.
        guard error.mayHaveBeenExecuted, job.idempotency == nil else { return .queueUnavailable(error) }
        // Its client is refused. If the job was queued all the same, it shall not run; but a worker may be faster.
        signals.cancel(job.insertionID, deadline: job.deadline)
        return .queueUnanswered
    }

    /// Cancels a job whose client has gone: its answer is no longer wanted.
    /// - Parameter deadline: when the job ends by itself.
    func leave(_ id: InsertionID, deadline: Deadline, handedOver: Int?) {
        pending.abandon(id, as: .disconnected)
        signals.cancel(id, handedOver: handedOver, deadline: deadline)
    }

    private func close(_ call: DispatchedJob, _ connection: Connection?) {
        connection?.unwatch()
        pending.dismiss(call.id)
    }
}

/// The part of a queued job that stays at the ingress while its client waits: not its body, which may be large.
struct DispatchedJob: Sendable {
    var id: InsertionID
    /// The time at which the client stops waiting.
    var deadline: Deadline
    /// Bytes of the answer that may be under way.
    var window: Int
    /// Seals the answer's frames; nil: the gateway's key does.
    var seal: OwnSeal?
    /// The request that waits for the answer; nil if the answer is kept under the job's own key and followed there.
    var request: PendingRequest?
    /// The rest of the rate limits on which the job was counted; nil: it was on none.
    var rates: RateStatus?
    /// Whether the job was queued before, under the same Idempotency-Key.
    var isRepeated = false
}

extension GatewayError {
    /// The error as the answer to a job that was made before.
    func response(of id: InsertionID) -> Response {
        var response = self.response
        response.headers[.insertionID] = id.description
        return response
    }

    fileprivate static func queueFull(_ setting: String) -> GatewayError {
        GatewayError(
            status: 429, type: "rate_limit_error", code: "queue_full",
            message:
                "The queue is full (\(setting)). Try again later; nothing was recorded. "
                + "More forwarders empty it faster.",
            retryAfter: 2)
    }

    fileprivate static let tooManySpans = GatewayError(
        status: 503, type: "server_error", code: "trace_backlog",
        message:
            "Too many traces wait for the trace store (OUTBOX_BYTES), so this completion's could not be kept. Nothing was recorded. /ready says why they wait.",
        retryAfter: 30)

    /// There is no room for what is kept for later.
    static let keepIsFull = GatewayError(
        status: 507, type: "server_error", code: "kept_bytes_full",
        message:
            "The gateway keeps as many bytes of answers and logs as it may (KEPT_BYTES), and nothing was recorded. "
            + "Room comes back as they expire. Calls whose answers are not kept are taken.",
        retryAfter: 60)

    fileprivate var isOfFullKeep: Bool { code == Self.keepIsFull.code }

    fileprivate static let anotherRequest = GatewayError.invalidRequest(
        422, code: "idempotency_key_reused",
        "Another request was made with this Idempotency-Key within the last 24 hours: its path or body differs. Use a new key for a new request.",
        param: "idempotency-key")

    fileprivate static let notASet = GatewayError.invalidRequest(
        code: "rollout_id_taken",
        "Redis holds something other than a rollout under this rollout_id. Choose another rollout_id.",
        param: "rollout_id")

    static let otherKey = GatewayError(
        status: 503, type: "server_error", code: "queue_unavailable",
        message:
            "The gateway's queue (Redis) is used with another GATEWAY_KEY, and this request left nothing in it. "
            + "/ready says what to do.",
        retryAfter: 30)

    fileprivate static let queueUnanswered = GatewayError(
        status: 503, type: "server_error", code: "queue_unavailable",
        message:
            "The queue (Redis) did not answer and may have taken this request. The gateway has cancelled it, but the call may already have been made. "
            + "With an Idempotency-Key it could be sent again without a second call.",
        retryAfter: 1, shouldRetry: false)
}

package import Common
package import Queue
internal import Redis
internal import Upstream

/// A client's question to the verifier: a GET of `/traces`, `/traces/pointwise` or `/rollouts/{rollout_id}`. The
/// dashboard alone asks for `/traces/completion`.
package struct Question: Sendable {
    package var project: String
    /// Percent-encoded, without the gateway's own prefixes.
    package var path: String
    /// Percent-encoded, without its `?`.
    package var query: String?
    /// The client's: `Accept` and `If-None-Match` are looked at.
    package var headers: [HeaderField]
    /// The time at which the client stops waiting, by the verifier's steady clock, in milliseconds.
    package var deadline: Int64
    /// The time at which it came to the queue, by the same clock; nil: it came just now.
    package var askedAt: Int64?

    package init(
        project: String, path: String, query: String? = nil, headers: [HeaderField] = [], deadline: Int64,
        askedAt: Int64? = nil
    ) {
        self.askedAt = askedAt
        self.project = project
        self.path = path
        self.query = query
        self.headers = headers
        self.deadline = deadline
    }

    /// - Parameters:
    ///   - age: the time for which it has been in the queue.
    ///   - now: what the verifier's steady clock says.
    package init(_ job: Job, age: Duration, now: Int64) {
        self.init(
            project: job.project, path: job.path, query: job.query, headers: job.headers,
            deadline: now + job.remaining().milliseconds, askedAt: now - age.milliseconds)
    }

    /// - Throws: a 404 or 400.
    func parsed(now: Timestamp) throws(GatewayError) -> RolloutQuery {
        try RolloutQuery(path: path, query: query, headers: headers, project: project, now: now)
    }
}

/// The answer to a question.
extension VerificationRunner {
    /// The verdict must be there this long before the client stops waiting, so that the answer arrives in time.
    static let answerMargin: Int64 = 2000
    /// The most time for a question without a wait: a trace store whose rate limit is used up may make it wait.
    static let shortest: Int64 = 10_000

    /// The pause between two rounds for a rollout that is not known yet.
    static let unknownPause = Duration.milliseconds(500)

    /// Answers a question, errors included.
    /// - Parameter progress: told what is known of the rollout while it is not complete yet.
    /// - Throws: What the sink throws, `CancellationError`, and an error after the answer has begun: it must then be
    ///   broken off.
    package func answer(
        _ question: Question, to sink: any ResponseSink,
        progress: @escaping @Sendable (Verdict) async -> Void = { _ in }
    ) async throws {
        let start = EventSink(sink)
        do {
            switch try question.parsed(now: clock.now()) {
            case .verdict(let query): try await answerVerdict(query, of: question, to: start, progress: progress)
            case .traces(let query): try await answerTraces(query, of: question, to: start, progress: progress)
            case .trace(let id, let query): try await answerTrace(id, query: query, of: question, to: start)
            }
        } catch let error as GatewayError where !start.hasBegun {
            try await sink.send(error.status, error.retryHeaders, json: error.json)
        } catch let error as RedisError where !start.hasBegun {
            guard error.code != .configuration else { throw error }
            let unavailable = GatewayError.queueUnavailable(error)
            try await sink.send(unavailable.status, unavailable.retryHeaders, json: unavailable.json)
        }
    }

    private func answerVerdict(
        _ query: VerdictQuery, of question: Question, to sink: EventSink,
        progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws {
        let patience = patience(of: question, waiting: query.wait ?? 0)
        if query.wantsEvents {
            return try await sendEvents(on: query.rollout, patience: patience, to: sink, progress: progress)
        }
        let verdict = try await verifyOnceKnown(query.rollout, patience: patience, progress: progress)
        guard let verdict else { throw GatewayError.rolloutNotFound(query.rollout.name) }
        let (status, headers, json) = verdict.response(ifNoneMatch: query.entityTag)
        guard let json else { return try await sink.begin(UpstreamHead(status: status, headers: headers)) }
        try await sink.send(status, headers, json: json)
    }

    /// The patience that is left for a question. Its wait began when it came, perhaps at a verifier that has died
    /// since. A question whose time is over has one more round.
    private func patience(of question: Question, waiting wait: Int) -> WaitPolicy {
        let now = clock.steady()
        let last = question.deadline - Self.answerMargin
        let end = (question.askedAt ?? now) + Int64(wait) * 1000
        return end > now
            ? WaitPolicy(deadline: min(last, end)) : WaitPolicy(deadline: min(last, now + Self.shortest), attempts: 1)
    }

    /// The verdict on a rollout whose first completion may yet come: a client may begin to wait before it does. Between
    /// two rounds the question waits as one about a running rollout does.
    /// - Returns: Nil if there is no such rollout as long as its client waits.
    /// - Throws: as `verify`.
    private func verifyOnceKnown(
        _ rollout: Rollout, patience: WaitPolicy,
        progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws -> Verdict? {
        let slot = capacity.roundSlot(for: rollout.project)
        defer { slot.leave() }
        while true {
            let verdict = try await verify(rollout, patience: patience, in: slot, progress: progress)
            if let verdict { return verdict }
            let left = Duration.milliseconds(patience.deadline - clock.steady())
            guard patience.attempts == nil, left > .zero else { return nil }
            guard slot.park() else { throw GatewayError.verifierBusy }
            try await clock.sleep(min(left, Self.unknownPause))
        }
    }

    /// Sends `event: progress` for each change, and `event: verdict` at the end. A slow reader gets the newest when it
    /// can take it, and holds up none of those who share the round.
    private func sendEvents(
        on rollout: Rollout, patience: WaitPolicy, to sink: EventSink,
        progress: @escaping @Sendable (Verdict) async -> Void
    ) async throws {
        let (news, told) = AsyncStream.makeStream(of: Verdict.self, bufferingPolicy: .bufferingNewest(1))
        let verdict = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await verdict in news { await sink.tell(verdict) } }
            defer { told.finish() }
            return try await verifyOnceKnown(rollout, patience: patience) { verdict in
                told.yield(verdict)
                await progress(verdict)
            }
        }
        guard let verdict else { throw GatewayError.rolloutNotFound(rollout.name) }
        try await sink.event("verdict", verdict)
    }
}

extension GatewayError {
    static func rolloutNotFound(_ rollout: String) -> Self {
        .invalidRequest(
            404, code: "rollout_not_found",
            "No completion of rollout `\(rollout)` is known in this project. It is known from its first completion on, for as long as ROLLOUT_TTL_SECONDS says; "
                + "check the rollout_id and the project.", param: "rollout_id")
    }
}

internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Queue
internal import Redis

/// Questions about rollouts: `/traces`, `/traces/pointwise`, `/rollouts`, `/rollouts/{rollout_id}`.
///
/// A stored verdict is read from Redis in one round trip. Every other question becomes a job for the verifiers, whose
/// answer comes back as a completion's does.
struct VerificationController: Sendable {
    /// Time limit for a question about traces: 100,000 come in pages, and a rate limit may delay each page.
    private static let traceTime = Duration.seconds(300)
    /// Time limit for a question about a rollout without a wait. Where its verifier is lost, another takes it over.
    private static let verdictTime = Duration.seconds(60)
    /// The time that is added to the wait that the client asks for. A verifier answers well within it.
    private static let margin = Duration.seconds(5)

    /// The queue of the verifiers.
    let calls: JobDispatcher
    let verdicts: VerdictStore
    let list: RolloutList
    let redis: RedisClient
    let responseKey: String
    let window: Int
    /// Of an operator's custom build.
    let hooks: [any TracesHook]

    /// A page of the project's rollouts.
    func page(_ call: AdmittedRequest) async throws -> Response {
        try await list.response(to: call.request, project: call.project)
    }

    /// The answer to a question about one rollout: its verdict, its traces, or the trace of one completion.
    func answer(_ call: AdmittedRequest) async throws -> Response {
        let query = try await prepared(call)
        let time: Duration
        // Parsed here, so that no verifier is given a malformed question.
        switch try RolloutQuery(
            path: call.path, query: query, headers: Self.headers(of: call.request), project: call.project, now: .now)
        {
        case .verdict(let question):
            if let response = try await stored(question) { return response }
            time = question.wait.map { .seconds($0) + Self.margin } ?? Self.verdictTime
        case .traces, .trace: time = Self.traceTime
        }
        return try await ask(call, query: query, within: time)
    }

    /// The headers that a verifier looks at.
    private static func headers(of request: Request) -> [HeaderField] {
        request.headers.filter { [.accept, .ifNoneMatch].contains($0.name) }.map {
            HeaderField($0.name.rawName, $0.value)
        }
    }

    private func ask(_ call: AdmittedRequest, query: String?, within time: Duration) async throws -> Response {
        let job = Job(
            insertionID: call.id, project: call.project, method: "GET", path: call.path, query: query,
            headers: Self.headers(of: call.request), isStream: true, deadline: Deadline(in: time),
            responseKey: responseKey, window: window)
        guard try await isAttended() else { throw GatewayError.noVerifier }
        do {
            let begun = try await calls.begin(job, for: call.connection)
            return try await calls.answer(begun, to: call.connection, logger: call.logger)
        } catch let error as GatewayError where error == GatewayError(.deadline) {
            throw GatewayError.verifierLate
        }
    }

    /// The stored verdict, if it is complete or the client does not wait.
    private func stored(_ question: VerdictQuery) async throws(GatewayError) -> Response? {
        guard !question.wantsEvents else { return nil }
        let verdict: Verdict?
        do { verdict = try await verdicts.verdict(on: question.rollout) } catch { throw .queueUnavailable(error) }
        guard let verdict, verdict.kind == .complete || question.wait == nil else { return nil }
        let (status, fields, json) = verdict.response(ifNoneMatch: question.entityTag)
        var headers = HTTPFields(fields)
        guard let json else { return Response(status: .init(code: status), headers: headers) }
        headers[.contentType] = "application/json"
        return Response(
            status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }

    /// The query of a question. The hooks may change one about traces.
    private func prepared(_ call: AdmittedRequest) async throws -> String? {
        guard !hooks.isEmpty, call.path.hasPrefix("/traces") else { return call.query }
        var question = TracesQuestion(
            items: try QueryItems(call.query).items, isPointwise: call.path != "/traces", project: call.project,
            account: call.admitted.account, headers: call.request.headers)
        for hook in hooks { try await hook.prepare(&question) }
        return question.items.map { "\(PercentEncoding.segment($0.name))=\(PercentEncoding.segment($0.value))" }.joined(
            separator: "&")
    }

    private func isAttended() async throws -> Bool {
        do { return try await redis.liveWorkers(of: .verifications) > 0 } catch {
            throw GatewayError.queueUnavailable(error)
        }
    }
}

extension GatewayError {
    fileprivate static let noVerifier = GatewayError(
        status: 503, type: "server_error", code: "no_verifier",
        message: "No verifier is running. The operator starts one with `metadata-gateway verifier`.", retryAfter: 5)

    fileprivate static let verifierLate = GatewayError(
        status: 503, type: "server_error", code: "verifier_busy",
        message: "No verifier answered in time. The one that had the question may have been lost; ask again.",
        retryAfter: 5, shouldRetry: true)
}

internal import Common
internal import Hummingbird
internal import Queue
internal import Redis

/// Questions about the request log: `/logs/requests`, `/logs/requests/{insertion_id}`, `/logs/metadata`,
/// `/metrics/query`, `/logs/audit`.
///
/// Each becomes a job for the process that keeps the log, whose answer comes back as a completion's does.
struct QueryController: Sendable {
    /// The queue of those who keep the log.
    let calls: JobDispatcher
    let redis: RedisClient
    let responseKey: String
    let window: Int
    /// The time that an answer may take.
    let timeout: Duration
    /// Whether there is a request log.
    let isOn: Bool

    /// - Parameter isOperators: whether the operator asks.
    func respond(to call: AdmittedRequest, isOperators: Bool) async throws -> Response {
        guard isOn else { throw GatewayError.requestLogOff }
        var job = Job(
            insertionID: call.id, project: call.project, method: "GET", path: call.path, query: call.query,
            isStream: true, deadline: Deadline(in: timeout), responseKey: responseKey,
            window: window)
        job.isOperators = isOperators
        guard try await isAttended() else { throw GatewayError.requestLogAway }
        let begun = try await calls.begin(job, for: call.connection)
        return try await calls.answer(begun, to: call.connection, logger: call.logger)
    }

    private func isAttended() async throws -> Bool {
        do { return try await redis.liveWorkers(of: .queries) > 0 } catch {
            throw GatewayError.queueUnavailable(error)
        }
    }
}

extension GatewayError {
    fileprivate static let requestLogOff = GatewayError.invalidRequest(
        404, code: "request_log_off",
        "The request log is off (REQUEST_LOG=off). The operator turns it on with REQUEST_LOG=embedded, in the ingress "
            + "and in the process that keeps it: `metadata-gateway serve` or `metadata-gateway tracestore`.")

    fileprivate static let requestLogAway = GatewayError(
        status: 503, type: "server_error", code: "no_request_log",
        message: "No process that keeps the request log is running. The operator starts `metadata-gateway tracestore` "
            + "with REDIS_HOST and GATEWAY_KEY, or `metadata-gateway serve`.",
        retryAfter: 5)
}

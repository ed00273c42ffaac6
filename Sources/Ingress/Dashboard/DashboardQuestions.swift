internal import Common
internal import Dashboard
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import RequestLog

/// Asks the controllers that answer the API, in this process and as the viewer's own request would: no page sees what
/// the viewer's key could not ask for.
struct DashboardQuestions: DashboardSource {
    struct Controllers: Sendable {
        let identity: ResponseIdentity
        let queries: QueryController
        let verification: VerificationController
        let logs: LogController
        let pages: StatusPages
        let queue: QueueController
        let rules: RulesController
        let open: OpenCompletions
    }

    /// An answer that is larger stands in no page. A trace has twice `SPAN_TEXT_BYTES` (4 MiB).
    static let mostBytes = 16 << 20
    private static let rollout: PathPattern = "/rollouts/{+rollout_id}"

    let controllers: Controllers
    let admitted: Authenticator.Admitted
    /// Whether the operator looks.
    let isOperators: Bool
    /// The browser's: if it goes away, so does the question.
    let connection: Connection?
    let logger: Logger
    private let verdictTime = NIOLockedValueBox(Duration.zero)

    /// The time for which verdicts were waited for. It depends on the trace store, and costs the gateway little.
    var waitedForVerdicts: Duration { verdictTime.withLockedValue { $0 } }

    func get(_ path: String, query: String?) async throws(GatewayError) -> [UInt8] {
        let began = ContinuousClock.now
        defer {
            if Self.isVerdict(path) { verdictTime.withLockedValue { $0 += began.duration(to: .now) } }
        }
        return try await answer { () async throws -> Response in try await respond(to: path, query) }
    }

    func post(_ path: String, body: [UInt8]) async throws(GatewayError) -> [UInt8] {
        try await answer { () async throws -> Response in
            // The only question that is asked with POST. It changes nothing.
            guard path == RulesController.path else { throw GatewayError.ingressFailed }
            let request = Request(
                head: HTTPRequest(method: .post, scheme: nil, authority: nil, path: path),
                body: RequestBody(buffer: ByteBuffer(bytes: body)))
            return try await controllers.rules.explain(call(request, path), seesAll: isOperators)
        }
    }

    /// The body of an answer that is a 200.
    private func answer(_ ask: () async throws -> Response) async throws(GatewayError) -> [UInt8] {
        do {
            let response = try await ask()
            let status = Int(response.status.code)
            let body = try await Self.bytes(of: response)
            guard status == 200 else { throw Self.error(body, status: status) }
            return body
        } catch let error as GatewayError {
            throw error
        } catch {
            logger.error("a question of the dashboard failed", metadata: ["error": "\(error.kind)"])
            throw .ingressFailed
        }
    }

    private static func isVerdict(_ path: String) -> Bool {
        OpenCompletions.rollout(in: path) == nil && rollout.parameter(in: path) != nil
    }

    private func respond(to path: String, _ query: String?) async throws -> Response {
        let target = query.map { $0.isEmpty ? path : "\(path)?\($0)" } ?? path
        let request = Request(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: target),
            body: RequestBody(buffer: ByteBuffer()))
        var call = call(request, path)
        if RequestLogResponder.answers(path) {
            return try await controllers.queries.respond(to: call, isOperators: isOperators)
        }
        if let rollout = OpenCompletions.rollout(in: path) {
            let open = try await controllers.open.answer(of: Rollout(rollout, project: admitted.project))
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: open)))
        }
        if let rollout = Self.rollout.parameter(in: path) {
            call.parameter = rollout
            return try await controllers.verification.answer(call)
        }
        switch path {
        case "/rollouts": return try await controllers.verification.page(call)
        case RolloutQuery.tracePath: return try await controllers.verification.answer(call)
        case "/logs": return try await controllers.logs.entries(call)
        case "/ready": return await controllers.pages.readiness
        default: return try await answer(path, query)
        }
    }

    /// Answers questions that pages alone ask, or that the operator alone may ask elsewhere.
    private func answer(_ path: String, _ query: String?) async throws -> Response {
        let queue = try await controllers.queue.answer(
            path, query: query, project: admitted.project, isOperators: isOperators)
        if let queue { return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: queue))) }
        if path == "/rules" {
            let rules = controllers.rules.loaded(seesAll: isOperators)
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: rules)))
        }
        if path == RulesController.usagePath {
            return Response(
                status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: await usageOfLimits())))
        }
        throw GatewayError.ingressFailed
    }

    private func call(_ request: Request, _ path: String) -> AdmittedRequest {
        AdmittedRequest(
            request: request, path: path, id: controllers.identity.next(), admitted: admitted, connection: connection,
            logger: logger)
    }

    /// The usage of rate limits, with those whose counters only the log can name.
    private func usageOfLimits() async -> [UInt8] {
        let (requests, note): ([UInt8]?, String?)
        do throws(GatewayError) {
            (requests, note) = (try await get("/logs/requests", query: RulesController.usageRequests), nil)
        } catch {
            (requests, note) = (nil, error.message)
        }
        return await controllers.rules.usage(of: requests, note: note, admitted: admitted, seesAll: isOperators)
    }

    /// The whole of an answer's body.
    private static func bytes(of response: Response) async throws -> [UInt8] {
        let held = NIOLockedValueBox<[UInt8]>([])
        try await response.body.write(Collector(held: held))
        return held.withLockedValue { $0 }
    }

    private struct Collector: ResponseBodyWriter {
        let held: NIOLockedValueBox<[UInt8]>

        mutating func write(_ buffer: ByteBuffer) async throws {
            let isFull = held.withLockedValue { bytes in
                bytes.append(contentsOf: buffer.readableBytesView)
                return bytes.count > DashboardQuestions.mostBytes
            }
            if isFull { throw GatewayError.tooLargeForPage }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    /// The error that an answer tells of.
    private static func error(_ body: [UInt8], status: Int) -> GatewayError {
        let told = try? JSONObject.scan(body, maximumDepth: 64)
        let object = told.flatMap { answer in answer.member("error").flatMap { try? answer.object($0) } }
        func text(_ name: String) -> String? {
            object.flatMap { object in object.member(name).flatMap { object.string($0) } }
        }
        let reason = told.flatMap { answer in answer.member("reason").flatMap { answer.string($0) } }
        return GatewayError(
            status: status, type: text("type") ?? "server_error", code: text("code") ?? "error",
            message: text("message") ?? reason ?? "The answer has the status \(status).")
    }
}

extension GatewayError {
    fileprivate static let tooLargeForPage = GatewayError(
        status: 502, type: "server_error", code: "too_large",
        message: "This is larger than a page can show (\(DashboardQuestions.mostBytes >> 20) MiB). Ask the API for it.")
}

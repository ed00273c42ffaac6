internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Answers every request: completions, the dashboard, the gateway's own routes (`GatewayRoutes`), an operator's
/// further ones, and all else by the backend.
struct GatewayResponder: HTTPResponder {
    let identity: ResponseIdentity
    let mark: LoopMark
    let hosts: AllowedHosts
    let authenticator: Authenticator
    /// The gateway's own routes.
    let routes: GatewayRoutes
    /// A custom build's routes.
    let customRoutes: RouterResponder<GatewayContext>
    let jobs: JobBuilder
    let calls: JobDispatcher
    let background: JobController
    let dashboard: DashboardController
    let connections: Connections
    let metrics: IngressMetrics

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        let id = identity.next()
        let began = NIODeadline.now()
        var context = context
        context.insertionID = id
        var response: Response
        do {
            response = try await route(request, as: id, context: context)
        } catch let error as GatewayError {
            metrics.refused(error)
            response = error.response.sandboxed
        } catch {
            context.logger.error("request failed", metadata: ["insertion_id": "\(id)", "error": "\(error.kind)"])
            metrics.refused(.ingressFailed)
            response = GatewayError.ingressFailed.response.sandboxed
        }
        metrics.observe(&response, to: RoutePattern(request.uri.path), since: began)
        identity.addHeaders(to: &response.headers, of: id)
        // RFC 9110 §9.3.2: a body would be taken for the next answer on the connection.
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func route(_ request: Request, as id: InsertionID, context: GatewayContext) async throws -> Response {
        guard hosts.allows(request.head.authority) else { throw GatewayError.foreignHost }
        guard request.method != .connect else { throw GatewayError.noTunnel }
        guard !mark.isCarried(by: request.headers[values: .via]) else { throw GatewayError.loopDetected }
        if let page = try await look(request, context) { return page }
        if let answer = try Preflight.response(to: request, authenticator.origins) { return answer }
        let path = try path(of: request, id)
        if case .other(let rest) = path.route {
            let response = try await routes.respond(to: request, at: rest, project: path.project, as: id, context)
            if let response { return response.sandboxed }
            if let response = try await respondAsOperator(to: request, context) { return response }
        }
        guard !request.asksForWebSocket else { throw GatewayError.noWebSocket }
        let connection = connections[context.channel]
        switch try await queue(request, path: path, as: id, connection: connection) {
        case .accepted(let response): return response.sandboxed
        case .waiting(let call): return try await calls.answer(call, to: connection, logger: context.logger).sandboxed
        }
    }

    private func path(of request: Request, _ id: InsertionID) throws(GatewayError) -> GatewayPath {
        do throws(GatewayError) { return try GatewayPath(request.uri.path) } catch {
            // No path would help such a client.
            guard !request.asksForWebSocket else { throw .noWebSocket }
            calls.refusals?.note(
                Refusal(id, of: authenticator.projectForRefusals, path: "", because: error))
            throw error
        }
    }

    /// Answers with an operator's further route; nil if none has the path. What its answer may do in a browser is the
    /// operator's affair.
    @inline(never)
    private func respondAsOperator(to request: Request, _ context: GatewayContext) async throws -> Response? {
        let response = try await customRoutes.respond(to: request, context: context)
        // The router leaves the path of the route that it found here, or a word if it found none.
        return context.endpointPath?.hasPrefix("/") ?? false ? response : nil
    }

    /// Answers with a page of the dashboard, which says itself what it may do in a browser; nil for another request.
    @inline(never)
    private func look(_ request: Request, _ context: GatewayContext) async throws -> Response? {
        try await dashboard.respond(to: request, connection: connections[context.channel], logger: context.logger)
    }

    private enum Queued {
        /// Its answer is fetched later.
        case accepted(Response)
        case waiting(DispatchedJob)
    }

    /// Makes a request's job and queues it. The step is not inlined: its state, above all the request's body, shall be
    /// gone while the client waits.
    @inline(never)
    private func queue(
        _ request: Request, path: GatewayPath, as id: InsertionID, connection: Connection?
    ) async throws -> Queued {
        var admitted: Authenticator.Admitted?
        let job: Job
        do {
            let found = try await authenticator.admit(request, project: path.project)
            admitted = found
            job = try await jobs.job(for: request, path: path, admitted: found, id: id)
        } catch {
            let told = error as? GatewayError ?? .ingressFailed
            calls.refusals?.note(
                jobs.refusal(
                    of: request, path: path, admitted: admitted, else: authenticator.projectForRefusals, id: id,
                    because: told))
            throw error
        }
        if jobs.isAsynchronous(request, path) { return .accepted(try await background.accept(job)) }
        return .waiting(try await calls.begin(job, for: connection))
    }
}

extension GatewayError {
    fileprivate static let foreignHost = GatewayError(
        status: 403, type: "permission_error", code: "foreign_host",
        message:
            "The request's `Host` is not a name of this gateway. Call it as localhost or 127.0.0.1, or let the operator add the name to ALLOWED_HOSTS.",
        shouldRetry: false)

    fileprivate static let noWebSocket = GatewayError(
        status: 501, type: "invalid_request_error", code: "websocket_unsupported",
        message: "The gateway passes no websocket on, and nothing was sent to a provider. Use the API over HTTP, with "
            + "`stream` for server-sent events; realtime sessions go to the provider itself.",
        shouldRetry: false)

    fileprivate static let noTunnel = invalidRequest(
        405, code: "method_not_allowed",
        "The gateway is not a forward proxy: there is no CONNECT. Use its address as the base URL, and unset HTTP_PROXY and HTTPS_PROXY for it."
    )
}

extension Request {
    /// Whether it opens a websocket (RFC 6455 §4.1). Any other offer of a protocol is one that may be ignored.
    fileprivate var asksForWebSocket: Bool {
        method == .get && headers[values: .upgrade].contains { $0.lowercased().contains("websocket") }
    }
}

extension HTTPField.Name {
    static let via = HTTPField.Name(constant: LoopMark.header)
}

internal import Common
internal import Crypto
internal import Dashboard
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// `/dashboard`: lets people in, and hands their questions to the controllers that answer the API's.
struct DashboardController: Sendable {
    /// The people who may look.
    enum Access: Sendable {
        /// Everyone, since the gateway serves its own machine alone and asks for no key.
        case machine
        /// Those who log in with a key of the gateway.
        case keys(APIKeyAuth)
        /// Those whom a custom build's `AuthProvider` lets in by a request's headers.
        case provider
        /// No one.
        case closed(GatewayError)
    }

    /// A key's form is larger than any key, and far smaller than a completion.
    static let mostFormBytes = 16 << 10

    let dashboard: Dashboard
    let access: Access
    let operators: Operators
    let authenticator: Authenticator
    let controllers: DashboardQuestions.Controllers
    let envelope: Envelope
    let streams: StreamSlots
    let now: @Sendable () -> Timestamp

    /// - Returns: nil if the path is none of the dashboard's.
    func respond(to request: Request, connection: Connection?, logger: Logger) async throws -> Response? {
        guard DashboardRoute.owns(request.uri.path) else { return nil }
        let asked = DashboardRequest(request)
        if asked.wantsEvents, request.method == .get, case .page(let page, let project)? = DashboardRoute(asked.path) {
            return await events(
                of: Watched(
                    page: page, project: project, asked: asked, request: request, connection: connection,
                    logger: logger))
        }
        let answer = await respond(to: asked, request: request, connection: connection, logger: logger)
        return Response(answer.protected)
    }

    private func respond(
        to asked: DashboardRequest, request: Request, connection: Connection?, logger: Logger
    ) async -> DashboardResponse {
        let route = DashboardRoute(asked.path)
        if case .asset(let name)? = route, let file = dashboard.asset(name, query: asked.query) { return file }
        if case .closed(let error) = access { return dashboard.failure(error) }
        guard asked.isPost || request.method == .get || request.method == .head else {
            return dashboard.failure(.wrongDashboardMethod)
        }
        do throws(GatewayError) {
            if asked.isPost {
                guard case .action(let action, let project)? = route else {
                    return try await form(route, asked: asked, request: request)
                }
                return try await act(action, in: project, asked: asked, request: request, logger: logger)
            }
            if case .login? = route, case .keys = access {
                return dashboard.login(next: try QueryItems(asked.query).value("next"))
            }
            guard let found = try await visitor(asked, request) else { return try loginFirst(asked) }
            return await page(route, for: found, asked: asked, connection: connection, logger: logger)
        } catch {
            return dashboard.failure(error)
        }
    }

    private func page(
        _ route: DashboardRoute?, for visitor: Visitor, asked: DashboardRequest, connection: Connection?,
        logger: Logger
    ) async -> DashboardResponse {
        let viewer = viewer(visitor)
        switch route {
        case .page(let page, let project)?:
            do throws(GatewayError) {
                let source = try questions(of: visitor, project: project, connection: connection, logger: logger)
                return await dashboard.page(page, of: project, for: viewer, query: asked.query, asking: source)
            } catch {
                return dashboard.failure(error, for: viewer)
            }
        case .start?, .login?:
            guard let first = viewer.projects.first else { return dashboard.failure(.noProject, for: viewer) }
            return .redirect(to: "\(DashboardRoute.root)/projects/\(PercentEncoding.segment(first))")
        default: return dashboard.failure(.noSuchPage, for: viewer)
        }
    }
}

extension DashboardController {
    struct Visitor {
        var account: Account?
        /// The browser's identity: its session's cookie, or the visitor's identity where there is no session.
        var session = ""
        var hasSession = false
    }

    /// The visitor who asks; nil for one who has to log in first.
    func visitor(_ asked: DashboardRequest, _ request: Request) async throws(GatewayError) -> Visitor? {
        switch access {
        case .machine: return Visitor(account: try await authenticator.account(of: request), session: "machine")
        case .provider:
            let account = try await authenticator.account(of: request)
            return Visitor(account: account, session: "account \(account?.id ?? "")")
        case .keys(let auth):
            // A key that is gone has no account, so its sessions end with it.
            guard let text = SessionToken.text(in: asked.cookie),
                let token = SessionToken(text, now: now(), envelope: envelope),
                let account = auth.account(ofDigest: token.fingerprint)
            else { return nil }
            return Visitor(account: account, session: "cookie \(text)", hasSession: true)
        case .closed(let error): throw error
        }
    }

    func viewer(_ visitor: Visitor) -> Viewer {
        Viewer(
            projects: authenticator.projects(of: visitor.account), account: visitor.account?.id,
            hasSession: visitor.hasSession, formToken: token(of: visitor))
    }

    /// The source of a visitor's pages of a project.
    func questions(
        of visitor: Visitor, project: String, connection: Connection?, logger: Logger
    ) throws(GatewayError) -> DashboardQuestions {
        DashboardQuestions(
            controllers: controllers, admitted: try authenticator.admit(visitor.account, project: project),
            isOperators: authenticator.isOperator(visitor.account), connection: connection, logger: logger)
    }

    private func loginFirst(_ asked: DashboardRequest) throws(GatewayError) -> DashboardResponse {
        let page = asked.query.map { "\(asked.path)?\($0)" } ?? asked.path
        // A link of another site comes without the cookie (`SameSite=Strict`), whether there is a session or not. The
        // page's own link, which it is sent to, comes with it.
        if asked.comesFromElsewhere, SessionToken.text(in: asked.cookie) == nil { return dashboard.refresh(page) }
        guard case .page? = DashboardRoute(asked.path) else { return .redirect(to: "\(DashboardRoute.root)/login") }
        return .redirect(to: "\(DashboardRoute.root)/login?" + FilterForm.query([("next", page)]))
    }

    /// Logs in, or out.
    private func form(
        _ route: DashboardRoute?, asked: DashboardRequest, request: Request
    ) async throws(GatewayError) -> DashboardResponse {
        guard case .keys(let auth) = access, route == .login || route == .logout else { throw .wrongDashboardMethod }
        // Another site's form must not log a browser in under a key of its own choice, nor out.
        guard !asked.isForeign else { throw .foreignForm }
        guard route == .login else {
            var response = DashboardResponse.redirect(to: "\(DashboardRoute.root)/login")
            response.headers.append(SessionToken.cookie("", isSecure: asked.isSecure))
            return response
        }
        let fields = try await Self.fields(of: request)
        let next = fields.value("next")
        do throws(GatewayError) {
            // Pasted keys come with spaces and line ends around them.
            let key = (fields.value("key") ?? "").utf8.filter { $0 > 0x20 && $0 < 0x7F }
            let bearer = String(decoding: key, as: UTF8.self)
            _ = try auth.account(for: AuthRequest(bearer: bearer, method: .post, path: asked.path))
            let token = SessionToken(
                fingerprint: Array(SHA256.hash(data: Array(bearer.utf8))),
                expiry: now() + SessionToken.life)
            guard let text = try? token.sealed(by: envelope) else { throw .ingressFailed }
            var response = DashboardResponse.redirect(to: Dashboard.ownPath(next))
            response.headers.append(SessionToken.cookie(text, isSecure: asked.isSecure))
            return response
        } catch {
            guard error.status == 401 else { throw error }
            return dashboard.login(next: next, error: .wrongKey)
        }
    }

    static func fields(of request: Request) async throws(GatewayError) -> QueryItems {
        let body: [UInt8]
        do {
            body = try await request.bytes(upTo: mostFormBytes) { limit in
                .invalidRequest(
                    413, code: "body_too_large", "The form has more than \(limit) bytes, and no key is so long.")
            }
        } catch { throw error as? GatewayError ?? .ingressFailed }
        return try QueryItems(String(decoding: body, as: UTF8.self))
    }
}

extension GatewayError {
    fileprivate static let wrongKey = GatewayError(
        status: 401, type: "authentication_error", code: "invalid_api_key",
        message: "This is not a key of this gateway. Ask its operator for one.", shouldRetry: false)

    static let foreignForm = GatewayError(
        status: 403, type: "permission_error", code: "foreign_origin",
        message: "The form was sent by a page of another site. Open the dashboard itself, and send it from there.",
        shouldRetry: false)

    fileprivate static let noSuchPage = invalidRequest(404, code: "not_found", "The dashboard has no such page.")

    fileprivate static let noProject = GatewayError(
        status: 404, type: "not_found_error", code: "unknown_project",
        message: "This key opens no project of this gateway.",
        shouldRetry: false)

    fileprivate static let wrongDashboardMethod = invalidRequest(
        405, code: "method_not_allowed", "The dashboard's pages are read with GET.")

    static let dashboardOff = invalidRequest(
        404, code: "dashboard_off", "The dashboard is off. The operator turns it on with DASHBOARD=true.")

    static let dashboardNeedsKeys = GatewayError(
        status: 403, type: "permission_error", code: "dashboard_needs_keys",
        message:
            "The dashboard would be open to anyone who reaches this address. Set API_KEYS_PATH, and log in with a key, or "
            + "let the gateway listen on a loopback address (HOST=127.0.0.1).", shouldRetry: false)
}

extension DashboardRequest {
    init(_ request: Request) {
        self.init(path: request.uri.path, query: request.uri.query, isPost: request.method == .post)
        // A browser may send several.
        accept = request.headers[.accept]
        cookie = request.headers[values: .cookie].joined(separator: ";")
        authority = request.head.authority
        origin = request.headers[.origin]
        fetchSite = HTTPField.Name("sec-fetch-site").flatMap { request.headers[$0] }
    }
}

extension Response {
    init(_ answer: DashboardResponse) {
        self.init(
            status: .init(code: answer.status), headers: HTTPFields(answer.headers),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

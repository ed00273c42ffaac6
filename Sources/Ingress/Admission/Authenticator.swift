internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Queue

/// Admits requests: finds who asks, and for which project.
struct Authenticator: Sendable {
    struct Admitted: Sendable {
        var account: Account?
        var project: String
        /// The client's key at a provider: its bearer, unless that is a key of this gateway, or what another header
        /// carries.
        var clientKey: SecretString?
    }

    /// Decides who a request comes from.
    private let auth: any AuthProvider
    /// The same provider, if it decides at once; nil: it does not.
    private let immediate: (any ImmediateAuthProvider)?
    private let projects: KnownProjects
    private let defaultProject: String
    /// Whether pages of other sites are kept out. It matters where a gateway serves only its own machine and asks for
    /// no key. Any page could otherwise come in through the browser of a person who works there.
    private let refusesForeignOrigins: Bool
    let origins: CrossOrigins
    /// Is told of the keys that are used; nil: nothing is.
    private let audit: AuditLog?

    init(
        auth: any AuthProvider, projects: KnownProjects, defaultProject: String, refusesForeignOrigins: Bool,
        origins: CrossOrigins, audit: AuditLog? = nil
    ) {
        self.origins = origins
        self.auth = auth
        immediate = auth as? any ImmediateAuthProvider
        self.projects = projects
        self.defaultProject = defaultProject
        self.refusesForeignOrigins = refusesForeignOrigins
        self.audit = audit
    }

    /// Whether ``admitAtOnce(_:project:)`` may be asked.
    var isImmediate: Bool { immediate != nil }

    /// - Parameter project: the project that the path names; nil for the default.
    /// - Throws: 401 for an unknown key, 404 for a project that is not there or not the account's.
    func admit(_ request: Request, project: String?) async throws(GatewayError) -> Admitted {
        let question = try question(for: request)
        return try admit(request, question, from: try await authenticated(question), project: project)
    }

    /// The same on the request's event loop. Only where ``isImmediate``: else all are refused.
    func admitAtOnce(_ request: Request, project: String?) throws(GatewayError) -> Admitted {
        let question = try question(for: request)
        guard let immediate else { throw .ingressFailed }
        return try admit(request, question, from: try immediate.account(for: question), project: project)
    }

    /// Whether it is the operator who asks. Where clients need no key, none is known by name, and each sees all.
    func isOperator(_ account: Account?) -> Bool { account?.isAdmin ?? !auth.consumesBearer }

    /// The project in whose log a request stands that was not admitted. No other project's log shows what such a caller
    /// says.
    var projectForRefusals: String { defaultProject }

    /// The account that a request comes from, before its project is looked at.
    /// - Throws: 401 for an unknown key, 403 for a page of another site.
    func account(of request: Request) async throws(GatewayError) -> Account? {
        try await authenticated(try question(for: request))
    }

    /// Admits an account whose key was checked before.
    /// - Throws: 404 for a project that is not there or not the account's.
    func admit(_ account: Account?, project: String) throws(GatewayError) -> Admitted {
        try check(account, project, isNamed: true)
        return Admitted(account: account, project: project, clientKey: nil)
    }

    /// The projects that an account may use, the default one first.
    func projects(of account: Account?) -> [String] {
        let all = projects.all.filter { account?.mayUse($0) ?? true }
        return all.filter { $0 == defaultProject } + all.filter { $0 != defaultProject }
    }

    private func authenticated(_ question: AuthRequest) async throws(GatewayError) -> Account? {
        do {
            return try await auth.authenticate(question)
        } catch let error as GatewayError {
            throw error
        } catch {
            throw GatewayError(
                status: 401, type: "authentication_error", code: "authentication_failed",
                message: "The request could not be authenticated.",
                shouldRetry: false)
        }
    }

    /// - Throws: 403 for a page of another site.
    private func question(for request: Request) throws(GatewayError) -> AuthRequest {
        if refusesForeignOrigins, let origin = request.headers[.origin], !origins.allows(origin) {
            throw .foreignOrigin
        }
        return AuthRequest(
            bearer: request.headers[.authorization].flatMap(Self.bearer), method: request.method,
            path: request.uri.path, headers: request.headers)
    }

    private func admit(
        _ request: Request, _ question: AuthRequest, from account: Account?, project named: String?
    ) throws(GatewayError) -> Admitted {
        let project = named ?? defaultProject
        try check(account, project, isNamed: named != nil)
        if let account, let key = account.keyID {
            audit?.noteSparsely(.keyUsed, of: key, project: project, account: account.id, user: account.user)
        }
        let clientKey = try ClientKey.read(request.headers, bearer: question.bearer, isGateways: auth.consumesBearer)
        return Admitted(account: account, project: project, clientKey: clientKey)
    }

    private func check(_ account: Account?, _ project: String, isNamed: Bool) throws(GatewayError) {
        // The same answer for both, so that a client cannot learn which other projects there are.
        guard projects.contains(project), account?.mayUse(project) ?? true else {
            throw GatewayError(
                status: 404, type: "not_found_error", code: "unknown_project",
                message: isNamed
                    ? "The project in the path is not known, or this key may not use it. Check project_id; the operator lists projects in secrets.yaml."
                    : "This key may not use the default project. Name one in the path: /project_id/{project_id}/…",
                param: "project_id", shouldRetry: false)
        }
    }

    /// The token of `Bearer <token>` (RFC 6750 §2.1; the scheme's name in any case).
    private static func bearer(_ header: String) -> String? {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
        let rest = header.utf8.drop(while: isSpace)
        guard let end = rest.firstIndex(where: isSpace),
            String(Substring(rest[..<end])).equalsIgnoringASCIICase("bearer")
        else { return nil }
        let token = rest[end...].drop(while: isSpace)
        return token.isEmpty ? nil : String(Substring(token))
    }
}

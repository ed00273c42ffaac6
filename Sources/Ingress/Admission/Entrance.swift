internal import Common
internal import HTTPTypes
internal import Hummingbird

/// Lets a request in: who asks, and for which project.
struct Entrance: Sendable {
    struct Admitted: Sendable {
        var account: Account?
        var project: String
        /// The client's key at a provider: its bearer, unless that is a key of this gateway, or what another header carries.
        var clientKey: SecretString?
    }

    /// Says who a request comes from; `immediate` is the same provider, if it answers at once.
    private let auth: any AuthProvider
    private let immediate: (any ImmediateAuthProvider)?
    private let projects: KnownProjects
    private let defaultProject: String
    /// Whether pages of other sites are kept out: where the gateway serves its own machine alone and asks nobody for a key, the browser of whoever works there
    /// would let any page in.
    private let refusesForeignOrigins: Bool
    let origins: CrossOrigins

    init(
        auth: any AuthProvider, projects: KnownProjects, defaultProject: String, refusesForeignOrigins: Bool,
        origins: CrossOrigins
    ) {
        self.origins = origins
        self.auth = auth
        immediate = auth as? any ImmediateAuthProvider
        self.projects = projects
        self.defaultProject = defaultProject
        self.refusesForeignOrigins = refusesForeignOrigins
    }

    /// Whether ``admitAtOnce(_:project:)`` may be asked.
    var isImmediate: Bool { immediate != nil }

    /// - Parameter project: the project that the path names; nil for the default.
    /// - Throws: 401 for an unknown key, 404 for a project that is not there or not the account's.
    func admit(_ request: Request, project: String?) async throws(GatewayError) -> Admitted {
        let question = try question(for: request)
        do {
            return try admit(request, question, from: try await auth.authenticate(question), project: project)
        } catch let error as GatewayError {
            throw error
        } catch {
            throw GatewayError(
                status: 401, type: "authentication_error", code: "authentication_failed",
                message: "The request could not be authenticated.",
                shouldRetry: false)
        }
    }

    /// The same on the request's event loop. Only where ``isImmediate``: else all are refused.
    func admitAtOnce(_ request: Request, project: String?) throws(GatewayError) -> Admitted {
        let question = try question(for: request)
        guard let immediate else { throw .internalError }
        return try admit(request, question, from: try immediate.account(for: question), project: project)
    }

    /// Where a request is logged that was not let in: no other project's log shows what its caller says.
    var projectOfStrangers: String { defaultProject }

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
        // The same answer for both, so that nobody learns which other projects there are.
        guard projects.contains(project), account?.mayUse(project) ?? true else {
            throw GatewayError(
                status: 404, type: "not_found_error", code: "unknown_project",
                message: named == nil
                    ? "This key may not use the default project. Name one in the path: /project_id/{project_id}/…"
                    : "The project in the path is not known, or this key may not use it. Check project_id; the operator lists projects in secrets.yaml.",
                param: "project_id", shouldRetry: false)
        }
        let clientKey = try ClientKey.read(request.headers, bearer: question.bearer, isGateways: auth.consumesBearer)
        return Admitted(account: account, project: project, clientKey: clientKey)
    }

    /// The token of `Bearer <token>` (RFC 6750 §2.1; the scheme's name in any case).
    private static func bearer(_ header: String) -> String? {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
        let rest = header.utf8.drop(while: isSpace)
        guard let end = rest.firstIndex(where: isSpace), String(Substring(rest[..<end])).equalsIgnoringASCIICase("bearer")
        else { return nil }
        let token = rest[end...].drop(while: isSpace)
        return token.isEmpty ? nil : String(Substring(token))
    }
}

public import Common
public import HTTPTypes
public import Logging

/// Decides who a request comes from. `.none` lets everyone in; `.apiKeys(file:)` asks for a key; your own can ask
/// anything else.
public protocol AuthProvider: Sendable {
    /// Whether the bearer token is a key of this gateway. If so it is never passed on to a provider.
    var consumesBearer: Bool { get }

    /// The account that a request comes from, or nil where accounts are not known.
    ///
    /// - Throws: the error that the client is told: 401 for an unknown key. An error that is not a `GatewayError`
    ///   becomes a 401 without its text.
    func authenticate(_ request: AuthRequest) async throws -> Account?

    /// Runs beside the requests, from the ingress's start until its task is cancelled: for what is to be kept up to
    /// date, such as a file that is read again. By default there is nothing to do. A provider that wraps another one
    /// passes the call on.
    func maintain(logger: Logger) async
}

/// An `AuthProvider` that decides at once, on the event loop of the request's connection.
package protocol ImmediateAuthProvider: AuthProvider {
    /// The same as ``AuthProvider/authenticate(_:)``, at once.
    func account(for request: AuthRequest) throws(GatewayError) -> Account?
}

extension ImmediateAuthProvider {
    public func authenticate(_ request: AuthRequest) async throws -> Account? { try account(for: request) }
}

extension AuthProvider {
    public func maintain(logger: Logger) async {}
}

/// The parts of a request at which an `AuthProvider` may look.
public struct AuthRequest: Sendable {
    /// The token of `Authorization: Bearer …`.
    public var bearer: String?
    public var method: HTTPRequest.Method
    /// The path as the routes see it, so that the decision is about the page that is served.
    public var path: String
    public var headers: HTTPFields

    public init(bearer: String?, method: HTTPRequest.Method, path: String, headers: HTTPFields = [:]) {
        self.bearer = bearer
        self.method = method
        self.path = path
        self.headers = headers
    }
}

/// The account from which a request comes, and the projects that it may use.
public struct Account: Sendable, Equatable {
    public enum Projects: Sendable, Equatable {
        case all
        case only(Set<UTF8Text>)
    }

    public var id: String
    public var projects: Projects
    /// The person that the account's key is for, as `user:NAME` in the operator's rules.
    public var user: String?
    /// The teams of the account's key, as `team:NAME` in the operator's rules.
    public var teams: [String]
    /// Metadata of each of the account's requests. It takes precedence over the request's headers. A key or value that
    /// breaks the rules for metadata (docs/policies.md) is left out.
    public var metadata: [UTF8Text: String]
    /// Whether it is the operator's own: it sees what belongs to no project, such as the operator's audit rows.
    public var isAdmin: Bool
    /// Names the key of `API_KEYS_PATH` that the request came with.
    package var keyID: String?

    public init(
        id: String, projects: Projects = .all, user: String? = nil, teams: [String] = [],
        metadata: [UTF8Text: String] = [:], isAdmin: Bool = false
    ) {
        self.id = id
        self.projects = projects
        self.user = user
        self.teams = teams
        self.metadata = metadata
        self.isAdmin = isAdmin
    }

    /// Whether the account may use a project.
    public func mayUse(_ project: String) -> Bool {
        switch projects {
        case .all: true
        case .only(let names): names.contains(project)
        }
    }
}

internal import Common
internal import Hummingbird
internal import Logging

/// A request to one of the gateway's own routes that was let in.
struct AdmittedRequest: Sendable {
    let request: Request
    /// Without version, project and query; percent-encoded, as it came.
    let path: String
    /// The value of the route's parameter, still percent-encoded; empty if the route has none.
    var parameter = ""
    let id: InsertionID
    let admitted: Authenticator.Admitted
    /// Nil: no client is there to go away.
    let connection: Connection?
    let logger: Logger

    var project: String { admitted.project }
    var query: String? { request.uri.query }
}

internal import Common
internal import HTTPTypes
internal import Hummingbird

/// Answers the question that a browser asks before it lets a page call: whether it may (CORS, a preflight).
enum Preflight {
    /// The time for which a browser may go by the answer, in seconds.
    private static let life = 600

    /// The answer to a preflight; nil for any other request. Nothing of the gateway is asked, and no key is needed: a
    /// browser sends none.
    static func response(to request: Request, _ origins: CrossOrigins) throws(GatewayError) -> Response? {
        guard request.method == .options, let origin = request.headers[.origin],
            let method = request.headers[.accessControlRequestMethod]
        else { return nil }
        guard origins.allows(origin) else { throw .foreignOrigin }
        var response = Response(status: .noContent)
        response.headers[.accessControlAllowMethods] = method
        response.headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        response.headers[.accessControlMaxAge] = String(life)
        if request.headers[.accessControlRequestPrivateNetwork] != nil {
            response.headers[.accessControlAllowPrivateNetwork] = "true"
        }
        return response
    }
}

extension GatewayError {
    static let foreignOrigin = GatewayError(
        status: 403, type: "permission_error", code: "foreign_origin",
        message: "A page of this origin may not call the gateway. Let the operator add what `Origin` says to "
            + "ALLOWED_ORIGINS, or call from a program instead of a page.",
        shouldRetry: false)
}

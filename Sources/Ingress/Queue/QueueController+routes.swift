internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging

/// The queue over HTTP, for the operator's scripts: what the dashboard shows, and its actions.
extension QueueController {
    /// - Throws: 403 for all but the operator, and for a page of any site that acts without a key: the dashboard's
    ///   forms hold a token instead.
    func respond(
        to request: Request, _ route: QueueRoute, admitted: Authenticator.Admitted, operators: Operators, logger: Logger
    ) async throws -> Response {
        try operators.check(admitted.account)
        guard route.methods.contains(request.method) else { return Self.wrongMethod(route) }
        if route.isAction, admitted.account == nil, request.headers[.origin] != nil { throw GatewayError.keylessPage }
        let query = try QueryItems(request.uri.query)
        switch route {
        case .state:
            try query.allow([])
            return Self.json(try await state(admitted.project))
        case .letters:
            try query.allow(["before"])
            return Self.json(try await letters.list(query, project: admitted.project, isOperators: true))
        case .requeue(let entry):
            let id = try await letters.requeue(entry, by: admitted, logger: logger)
            return Self.json { writer in
                writer.member("entry", entry)
                writer.member("insertion_id", id.description)
            }
        case .letter(let entry):
            try await letters.delete(entry, by: admitted, logger: logger)
            return Self.json { writer in
                writer.member("entry", entry)
                writer.member("deleted", true)
            }
        }
    }

    private static func wrongMethod(_ route: QueueRoute) -> Response {
        let methods = route.methods.map(\.rawValue).joined(separator: ", ")
        var response = GatewayError.invalidRequest(
            405, code: "method_not_allowed", "This is no method of this path, which has \(methods)."
        ).response
        response.headers[.allow] = methods
        return response
    }

    private static func json(_ body: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.object(body)
        return json(writer.bytes)
    }

    private static func json(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension GatewayError {
    fileprivate static let keylessPage = GatewayError(
        status: 403, type: "permission_error", code: "foreign_origin",
        message: "A page in a browser may do this with a key alone. Use the dashboard's page of the queue, or send the "
            + "request without `Origin`.",
        shouldRetry: false)
}

extension QueryItems {
    /// - Throws: 400 for a parameter that is none of these.
    fileprivate func allow(_ known: [String]) throws(GatewayError) {
        for (name, _) in items where !known.contains(name) {
            let list = known.isEmpty ? "it has no parameters" : "known: `\(known.joined(separator: "`, `"))`"
            throw .invalidQuery(String(name.prefix(64)), "is not known here: \(list)")
        }
    }
}

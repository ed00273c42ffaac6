internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON

/// The queue over HTTP, for the operator's scripts: what the dashboard shows, and its actions.
extension QueueController {
    func state(_ call: AdmittedRequest) async throws -> Response {
        try QueryItems(call.query).allow([])
        return Self.json(try await state(call.project))
    }

    func list(_ call: AdmittedRequest) async throws -> Response {
        let query = try QueryItems(call.query)
        try query.allow(["before"])
        return Self.json(try await letters.list(query, project: call.project, isOperators: true))
    }

    func requeue(_ call: AdmittedRequest) async throws -> Response {
        let entry = try Self.entry(of: call)
        let id = try await letters.requeue(entry, by: call.admitted, logger: call.logger)
        return Self.json { writer in
            writer.member("entry", entry)
            writer.member("insertion_id", id.description)
        }
    }

    func delete(_ call: AdmittedRequest) async throws -> Response {
        let entry = try Self.entry(of: call)
        try await letters.delete(entry, by: call.admitted, logger: call.logger)
        return Self.json { writer in
            writer.member("entry", entry)
            writer.member("deleted", true)
        }
    }

    /// The entry on which a request acts.
    /// - Throws: 403 for a page of any site that acts without a key: the dashboard's forms hold a token instead.
    private static func entry(of call: AdmittedRequest) throws(GatewayError) -> String {
        if call.admitted.account == nil, call.request.headers[.origin] != nil { throw .keylessPage }
        _ = try QueryItems(call.query)
        return call.parameter
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

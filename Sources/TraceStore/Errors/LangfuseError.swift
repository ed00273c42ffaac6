internal import Common
internal import GRDB
internal import HTTPTypes
internal import Hummingbird
internal import JSON

/// An error response: status and body as Langfuse gives them
/// (web/src/features/public-api/server/withMiddlewares.ts, version 4.16).
struct LangfuseError: Error, Sendable, Equatable {
    var status: Int
    /// JSON.
    var body: [UInt8]
    var headers: [HeaderField] = []

    init(_ status: Int, _ message: String, error: String? = nil) {
        self.status = status
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("message", message)
            if let error { writer.member("error", error) }
        }
        body = writer.bytes
    }

    var response: Response {
        var fields: HTTPFields = [.contentType: "application/json"]
        for header in headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        return Response(
            status: .init(code: status), headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

extension LangfuseError {
    /// A parameter that is not what it must be, in the shape of zod's issues.
    static func invalidParameter(_ name: String, _ message: String) -> LangfuseError {
        var error = LangfuseError(400, "")
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("message", "Invalid request data")
            writer.member("error") { writer in
                writer.array([name]) { writer, name in
                    writer.object { writer in
                        writer.member("code", "custom")
                        writer.member("path") { $0.array([name]) { $0.string($1) } }
                        writer.member("message", message)
                    }
                }
            }
        }
        error.body = writer.bytes
        return error
    }

    /// A filter, a cursor or a query that cannot be answered.
    static func invalidRequest(_ message: String) -> LangfuseError {
        LangfuseError(400, message, error: "InvalidRequestError")
    }

    /// The one error that has no message.
    static let badContentType: LangfuseError = {
        var error = LangfuseError(400, "")
        error.body = Array(#"{"error":"Invalid content type"}"#.utf8)
        return error
    }()

    static let noAuthorization = LangfuseError(401, "No authorization header")
    static let badCredentials = LangfuseError(
        401, "Invalid credentials. Confirm that you've configured the correct host.")
    static let accessDenied = LangfuseError(403, "Access denied - insufficient permissions for this endpoint")
    static let foreignHost = LangfuseError(
        403,
        "The request's `Host` is not a name of this store. Call it as localhost or 127.0.0.1, or let the operator add the name to ALLOWED_HOSTS"
    )
    static let fileGone = LangfuseError(
        503,
        "The trace store's file was deleted, moved or replaced; its log says what to do. What waits is kept and sent later"
    )

    /// The error for which the disk, and not a request, is to blame; nil for all else.
    static func disk(_ code: ResultCode) -> LangfuseError? {
        switch code {
        case .SQLITE_FULL:
            LangfuseError(503, "The disk of the trace store is full. Make room; what waits is kept and sent then")
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_PERM:
            LangfuseError(
                503,
                "The trace store's file cannot be read or written. Check its folder, disk and mode; what waits is kept and sent then"
            )
        default: nil
        }
    }

    static let noSuchPage = LangfuseError(404, "Not found")
    static let unknownScore = LangfuseError(404, "Score not found", error: "LangfuseNotFoundError")
    static let unknownObservation = LangfuseError(
        404, "Observation not found within authorized project", error: "LangfuseNotFoundError")
    static let unknownSession = LangfuseError(
        404, "Session not found within authorized project", error: "LangfuseNotFoundError")

    /// A part of Langfuse that the store does not have.
    static func notServed(_ feature: String) -> LangfuseError {
        LangfuseError(
            501,
            "The embedded trace store does not serve `\(feature)`: it keeps traces, observations, sessions and scores. "
                + "Set LANGFUSE_HOST to a Langfuse for the rest.",
            error: "NotImplemented")
    }

    static let methodNotAllowed = LangfuseError(405, "Method not allowed")
    static let failed = LangfuseError(500, "Internal Server Error")

    static func unknownTrace(_ id: String) -> LangfuseError {
        LangfuseError(404, "Trace \(id) not found within authorized project", error: "LangfuseNotFoundError")
    }

    /// The answer on the older routes of a server that writes for version 4 alone.
    static let eventsOnly = LangfuseError(
        404,
        "This endpoint is not available on deployments running in Langfuse v4 events_only mode. Learn more about the v4 migration in the Langfuse documentation."
    )

    /// The answer on the newer routes of a server of version 3.
    static let noV2 = LangfuseError(
        404, "The observations v2 API is only available in a Langfuse v4 write mode. Use the v1 API instead.",
        error: "LangfuseNotFoundError")

    static func tooLarge(_ limit: Int) -> LangfuseError {
        LangfuseError(
            422, "The response is larger than \(limit) bytes. Ask for fewer rows or fewer fields.",
            error: "PayloadTooLargeError")
    }

    /// The store has as much to do as it can hold.
    static let busy: LangfuseError = {
        var error = LangfuseError(429, "Too much is sent at once. Send it again.", error: "TooManyRequests")
        error.headers = [HeaderField("Retry-After", "1")]
        return error
    }()

    static func unsupportedEncoding(taken: [String]) -> LangfuseError {
        let names = taken.joined(separator: ", ")
        var error = LangfuseError(
            415, "An export is taken without Content-Encoding, or in one of: \(names)", error: "UnsupportedMediaType")
        error.headers = [HeaderField("Accept-Encoding", names)]
        return error
    }

    static func bodyTooLarge(_ limit: Int) -> LangfuseError {
        LangfuseError(
            413,
            "The body is larger than \(limit) bytes, decompressed. Send smaller batches, or let the operator raise "
                + "TRACESTORE_MAX_EXPORT_BYTES."
        )
    }
}

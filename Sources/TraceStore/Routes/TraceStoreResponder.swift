internal import Common
internal import Compression
internal import GRDB
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOPosix

/// Answers as Langfuse does: the routes by which SDKs and exporters write, and by which readers read.
struct TraceStoreResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    /// The version of Langfuse whose answers these are. Clients choose their routes by it.
    static let version = "4.16.0"

    let hosts: AllowedHosts
    let keys: NIOLockedValueBox<KeyRing>
    let reader: TraceReader
    let intake: RowIntake
    /// The most bytes of an export, decompressed.
    let exportLimit: Int
    /// The most bytes of all exports at once.
    let budget: ExportBudget

    private var faults: FaultInjector { intake.faults }
    private var database: TraceDatabase { intake.database }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let began = ContinuousClock.now
        let response = await answer(to: request, context)
        intake.metrics?.answered(request.uri.path, status: response.status.code, in: began.duration(to: .now))
        return response
    }

    private func answer(to request: Request, _ context: BasicRequestContext) async -> Response {
        do {
            let response = try await route(request, context)
            return request.method == .head ? response.createHeadResponse() : response
        } catch {
            return LangfuseError(of: error, context.logger).response
        }
    }

    private func route(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        guard hosts.allows(request.head.authority) else { throw LangfuseError.foreignHost }
        // Takes nothing into a file that was deleted, moved or replaced: the sender keeps it, and sends it again.
        guard database.standing == .inPlace else { throw LangfuseError.fileGone }
        // There is no tunnel here (RFC 9110 §9.3.6).
        guard request.method != .connect else { throw LangfuseError.methodNotAllowed }
        let path = request.uri.path
        switch path {
        case "/api/public/otel/v1/traces": return try await export(request)
        case "/api/public/health":
            try allow(request, .get)
            return try await faults.answer(.health) {
                Self.json(Array(#"{"status":"OK","version":"\#(Self.version)"}"#.utf8))
            }
        case "/api/public/v2/observations": return try await observations(request)
        case "/api/public/v2/metrics": return try await metrics(request)
        case "/api/public/traces": return try await traces(request)
        case "/api/public/projects": return try projects(request)
        default:
            let prefix = "/api/public/traces/"
            guard path.hasPrefix(prefix), path.count > prefix.count else { throw LangfuseError.noSuchPage }
            return try await trace(String(path.dropFirst(prefix.count)), request)
        }
    }

    private func export(_ request: Request) async throws -> Response {
        try allow(request, .post)
        let (_, number) = try project(request)
        return try await faults.answer(.export) { try await export(request, project: number) }
    }

    private func export(_ request: Request, project number: Int64) async throws -> Response {
        guard let form = Export.Form(contentType: request.headers[.contentType]) else {
            throw LangfuseError.badContentType
        }
        if let version = HTTPField.Name.ingestionVersion.flatMap({ request.headers[$0] }),
            Int(version).map({ $0 > 4 }) ?? true
        {
            throw LangfuseError.invalidRequest("x-langfuse-ingestion-version must be a number up to 4")
        }
        let codings = try Self.codings(of: request)
        let share = budget.share()
        defer { withExtendedLifetime(share) {} }
        let body = try await body(of: request, share)
        let export = Export(form: form, codings: body.isEmpty ? [] : codings, limit: exportLimit)
        // Some 50 µs a span: on an event loop the connections of the loop would wait for it.
        let content = try await NIOThreadPool.singleton.runIfActive { try export.content(body, in: share) }
        try await intake.store(content.observations, project: number)
        return Self.json(content.json)
    }

    /// The codings of an export, in the order in which they were applied.
    /// - Throws: 415 for one that is not undone here.
    private static func codings(of request: Request) throws(LangfuseError) -> [ContentCoding] {
        let taken = [ContentCoding.gzip, .deflate, .zstd].filter(\.isAvailable)
        var codings: [ContentCoding] = []
        for name in ContentCoding.names(in: request.headers[values: .contentEncoding]) {
            guard let coding = ContentCoding(name: name), taken.contains(coding) else {
                throw .unsupportedEncoding(taken: taken.map(\.rawValue))
            }
            codings.append(coding)
        }
        guard codings.count <= BodyDecoder.mostCodings else {
            throw .invalidRequest("Content-Encoding names more than \(BodyDecoder.mostCodings) codings")
        }
        return codings
    }

    private func body(of request: Request, _ share: ExportBudget.Share) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > exportLimit {
            throw LangfuseError.bodyTooLarge(exportLimit)
        }
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard bytes.count + piece.readableBytes <= exportLimit else {
                throw LangfuseError.bodyTooLarge(exportLimit)
            }
            try share.take(piece.readableBytes)
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    private func observations(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.observations) {
            var page = try ObservationRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            return Self.json(try await reader.observations(page, project: name, duplicates: faults.current.duplicates))
        }
    }

    private func metrics(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (_, number) = try project(request)
        return try await faults.answer(.metrics) {
            var query = try MetricsRequest(QueryParameters(request.uri.query), project: number).query
            query.madeBy = visible
            let count = try await reader.count(query) * (faults.current.duplicates ? 2 : 1)
            // Numbers are strings there, as ClickHouse gives them.
            return Self.json(Array(#"{"data":[{"count_count":"\#(count)"}]}"#.utf8))
        }
    }

    private func traces(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            var page = try TraceRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            return Self.json(try await reader.traces(page, project: name))
        }
    }

    private func trace(_ encoded: String, _ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            var page = try TraceRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            let id =
                PercentDecoding.bytes(Substring(encoded).utf8).flatMap { String(validating: $0, as: UTF8.self) }
                ?? encoded
            guard let trace = try await reader.trace(id, page, project: name) else {
                throw LangfuseError.unknownTrace(id)
            }
            return Self.json(trace)
        }
    }

    /// Answers the request by which SDKs check their keys.
    private func projects(_ request: Request) throws -> Response {
        try allow(request, .get)
        let (name, _) = try project(request)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("data") { writer in
                writer.array([name]) { writer, name in
                    writer.object { writer in
                        writer.member("id", name)
                        writer.member("name", name)
                        writer.member("organization") { $0.raw(#"{"id":"local","name":"local"}"#) }
                        writer.member("metadata") { $0.raw("{}") }
                    }
                }
            }
        }
        return Self.json(writer.bytes)
    }

    /// The time up to which rows can be seen; nil: there are none that cannot.
    private var visible: Int64? { faults.hasHidden ? intake.now() : nil }

    private func project(_ request: Request) throws -> (name: String, number: Int64) {
        let name = try keys.withLockedValue { $0 }.project(request.headers[.authorization])
        guard let number = database.number(ofProject: name) else { throw LangfuseError.badCredentials }
        return (name, number)
    }

    private func allow(_ request: Request, _ method: HTTPRequest.Method) throws(LangfuseError) {
        guard request.method == method || (method == .get && request.method == .head) else { throw .methodNotAllowed }
    }

    private static func json(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    fileprivate static let ingestionVersion = Self(parsed: "x-langfuse-ingestion-version")
}

internal import Common
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
    let unserved = UnservedFeatures()

    var faults: FaultInjector { intake.faults }
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
        switch request.uri.path {
        case "/api/public/otel/v1/traces": return try await export(request)
        case "/api/public/ingestion": return try await events(request, context.logger)
        case "/api/public/health":
            try allow(request, .get)
            return try await faults.answer(.health) {
                Self.json(Array(#"{"status":"OK","version":"\#(Self.version)"}"#.utf8))
            }
        case "/api/public/v2/observations": return try await observations(request)
        case "/api/public/v2/metrics": return try await metrics(request)
        case "/api/public/traces" where request.method == .delete:
            throw try notServed("deletion of traces", request, context.logger)
        case "/api/public/traces": return try await traces(request)
        case "/api/public/projects": return try projects(request)
        case "/api/public/scores" where request.method == .post: return try await writeScores(request)
        case "/api/public/scores": return try await scores(request, .v1)
        case "/api/public/v2/scores": return try await scores(request, .v2)
        case "/api/public/v3/scores": return try await scorePage(request)
        case "/api/public/observations": return try await olderObservations(request)
        case "/api/public/sessions": return try await sessions(request)
        default: return try await item(request, context.logger)
        }
    }

    /// One trace, observation, session or score, by its id.
    private func item(_ request: Request, _ logger: Logger) async throws -> Response {
        let path = request.uri.path
        func id(_ prefix: String) -> String? {
            guard path.hasPrefix(prefix), path.utf8.count > prefix.utf8.count else { return nil }
            let encoded = path.utf8.dropFirst(prefix.utf8.count)
            return PercentDecoding.bytes(encoded).flatMap { String(validating: $0, as: UTF8.self) }
                ?? String(Substring(encoded))
        }
        if let id = id("/api/public/traces/") {
            guard request.method != .delete else { throw try notServed("deletion of traces", request, logger) }
            return try await trace(id, request)
        }
        if let id = id("/api/public/observations/") { return try await olderObservation(id, request) }
        if let id = id("/api/public/sessions/") { return try await session(id, request) }
        if let id = id("/api/public/v2/scores/") { return try await score(id, .v2, request) }
        if let id = id("/api/public/scores/") {
            return request.method == .delete ? try await deleteScore(id, request) : try await score(id, .v1, request)
        }
        guard let feature = UnservedFeatures.feature(of: path) else { throw LangfuseError.noSuchPage }
        throw try notServed(feature, request, logger)
    }

    /// The answer about a part of Langfuse that the store does not have, which is also noted.
    private func notServed(_ feature: String, _ request: Request, _ logger: Logger) throws -> LangfuseError {
        _ = try project(request)
        unserved.note(feature, logger)
        return .notServed(feature)
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
        let coded = try CompressedBody(labels: request.headers[values: .contentEncoding], limit: exportLimit)
        let share = budget.share()
        defer { withExtendedLifetime(share) {} }
        let body = try await body(of: request, share)
        let export = Export(form: form, body: coded)
        // Some 50 µs a span: on an event loop the connections of the loop would wait for it.
        let content = try await NIOThreadPool.singleton.runIfActive { try export.content(body, in: share) }
        try await intake.store(content.observations, project: number)
        return Self.json(content.json)
    }

    func body(of request: Request, _ share: ExportBudget.Share) async throws -> [UInt8] {
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

    private func trace(_ id: String, _ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            var page = try TraceRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            guard let trace = try await reader.trace(id, page, project: name) else {
                throw LangfuseError.unknownTrace(id)
            }
            return Self.json(trace)
        }
    }

    /// The time up to which rows can be seen; nil: there are none that cannot.
    var visible: Int64? { faults.hasHidden ? intake.now() : nil }

    func project(_ request: Request) throws -> (name: String, number: Int64) {
        let name = try keys.withLockedValue { $0 }.project(request.headers[.authorization])
        guard let number = database.number(ofProject: name) else { throw LangfuseError.badCredentials }
        return (name, number)
    }

    func allow(_ request: Request, _ method: HTTPRequest.Method) throws(LangfuseError) {
        guard request.method == method || (method == .get && request.method == .head) else { throw .methodNotAllowed }
    }

    static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
        Response(
            status: .init(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    fileprivate static let ingestionVersion = Self(parsed: "x-langfuse-ingestion-version")
}

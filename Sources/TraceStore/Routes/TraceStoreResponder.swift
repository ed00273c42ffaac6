internal import Common
internal import GRDB
internal import HTTPServing
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
        switch Self.table.match(request.method, request.uri.path) {
        case .route(let route, let parameter):
            return try await answer(request, by: route, parameter: parameter, logger: context.logger)
        case .otherMethods: throw LangfuseError.methodNotAllowed
        case nil:
            guard let feature = UnservedFeatures.feature(of: request.uri.path) else { throw LangfuseError.noSuchPage }
            _ = try project(request)
            throw notServed(feature, context.logger)
        }
    }

    /// Checks the keys, and then lets go wrong what a test wants.
    private func answer(
        _ request: Request, by route: StoreRoute, parameter: String, logger: Logger
    ) async throws -> Response {
        let answer: () async throws -> Response
        switch route.handler {
        case .open(let handler): answer = { handler(self) }
        case .keyed(let handler):
            let call = StoreCall(request, parameter: parameter, project: try project(request), logger)
            answer = { try await handler(self, call) }
        }
        guard let fault = route.fault else { return try await answer() }
        return try await faults.answer(fault, answer)
    }

    /// The answer about a part of Langfuse that the store does not have, which is also noted.
    func notServed(_ feature: String, _ logger: Logger) -> LangfuseError {
        unserved.note(feature, logger)
        return .notServed(feature)
    }

    var health: Response { Self.json(Array(#"{"status":"OK","version":"\#(Self.version)"}"#.utf8)) }

    func export(_ call: StoreCall) async throws -> Response {
        let request = call.request
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
        try await intake.store(content.observations, project: call.project.number)
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

    func observations(_ call: StoreCall) async throws -> Response {
        var page = try ObservationRequest(call.query, project: call.project.number)
        page.query.madeBy = visible
        let duplicates = faults.current.duplicates
        return Self.json(try await reader.observations(page, project: call.project.name, duplicates: duplicates))
    }

    func metrics(_ call: StoreCall) async throws -> Response {
        var query = try MetricsRequest(call.query, project: call.project.number).query
        query.madeBy = visible
        let count = try await reader.count(query) * (faults.current.duplicates ? 2 : 1)
        // Numbers are strings there, as ClickHouse gives them.
        return Self.json(Array(#"{"data":[{"count_count":"\#(count)"}]}"#.utf8))
    }

    func traces(_ call: StoreCall) async throws -> Response {
        var page = try TraceRequest(call.query, project: call.project.number)
        page.query.madeBy = visible
        return Self.json(try await reader.traces(page, project: call.project.name))
    }

    func trace(_ call: StoreCall) async throws -> Response {
        var page = try TraceRequest(call.query, project: call.project.number)
        page.query.madeBy = visible
        guard let trace = try await reader.trace(call.id, page, project: call.project.name) else {
            throw LangfuseError.unknownTrace(call.id)
        }
        return Self.json(trace)
    }

    /// The time up to which rows can be seen; nil: there are none that cannot.
    var visible: Timestamp? { faults.hasHidden ? intake.now() : nil }

    private func project(_ request: Request) throws -> (name: String, number: Int64) {
        let name = try keys.withLockedValue { $0 }.project(request.headers[.authorization])
        guard let number = database.number(ofProject: name) else { throw LangfuseError.badCredentials }
        return (name, number)
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

internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import NIOConcurrencyHelpers
internal import Policies
internal import Queue
internal import Upstream

/// Makes the job of a request: its body checked, its hooks run. What it refuses reaches neither the queue nor a
/// rollout's set.
struct JobBuilder: Sendable {
    private let hooks: [any ChatHook]
    let bodies: BodyReader
    let maximumJSONDepth: Int
    private let addresses: AddressPolicy
    /// The longest time from a request's arrival to the end of its answer (`REQUEST_TIMEOUT`).
    let timeout: Duration
    private let window: Int
    /// Retries that a client may ask for.
    private let clientRetries: Int
    private let responseKey: String
    private let envelope: Envelope
    /// The operator's rules, as they are now.
    private let rules: NIOLockedValueBox<RequestRules>

    /// Whether a call goes on to its end after its client has left (`ON_DISCONNECT`).
    private let outlivesClient: Bool

    init(
        settings: Settings, bodies: BodyReader, rules file: RulesFile, hooks: [any ChatHook], responseKey: String,
        envelope: Envelope, audit: AuditLog? = nil, logger: Logger
    ) {
        let names = CounterNames(envelope)
        let rules = NIOLockedValueBox(
            RequestRules(file.current, settings: settings, names: names, audit: audit, logger: logger))
        file.onChange { policies in
            let changed = RequestRules(policies, settings: settings, names: names, audit: audit, logger: logger)
            rules.withLockedValue { $0 = changed }
        }
        self.rules = rules
        self.hooks = hooks
        self.envelope = envelope
        self.responseKey = responseKey
        outlivesClient = settings.http.onDisconnect == .finish
        self.bodies = bodies
        maximumJSONDepth = settings.http.maxJSONDepth
        addresses = .clientChosen(
            allowLoopback: settings.calls.allowLoopbackBaseURLs, allowPrivate: settings.calls.allowPrivateBaseURLs)
        window = settings.http.maxBufferedBytes
        clientRetries = settings.calls.maxClientRetries
        timeout = settings.calls.requestTimeout
    }

    /// The operator's rules as they are in force.
    var currentRules: RequestRules { rules.withLockedValue { $0 } }

    func job(
        for request: Request, path: GatewayPath, admitted: Authenticator.Admitted, id: InsertionID
    ) async throws -> Job {
        var job = try draft(for: request, path: path, admitted: admitted, id: id)
        let content: JSONObject?
        if case .other = path.route {
            job.body = try await bodies.body(of: request)
            let body = try CompletionBody(
                other: job.body, of: job, contentType: try Self.contentType(of: request, hasBody: !job.body.isEmpty),
                maximumDepth: maximumJSONDepth)
            (job.model, job.isStream, content) = (body.model, body.isStream, body.object)
        } else {
            try Self.checkMethod(of: request)
            let sent = try await bodies.body(of: request)
            job.idempotency = try idempotency(of: request, path, job, body: sent)
            var call = chatCall(for: request, path: path, admitted: admitted, body: sent, metadata: job.metadata)
            for hook in hooks { try await hook.prepare(&call) }
            if !hooks.isEmpty {
                try call.checkMetadata()
                (job.metadata, job.rollout) = (call.metadata, call.rollout)
                try currentRules.check(job, request.method)
            }
            content = try fill(&job, with: call)
        }
        try currentRules.decide(&job, with: content, for: admitted.account)
        let isFetchedLater = job.idempotency != nil || isAsynchronous(request, path)
        if outlivesClient || isFetchedLater {
            if !isFetchedLater { job.placeUnkept = .init(responseKey: job.responseKey, window: job.window) }
            job.responseKey = Keys.response(id)
            // Such an answer goes on even if no client takes it.
            job.window = .max
        }
        return job
    }

    /// Whether the request is a chat completion whose job can be made at once: there are no hooks, its body is not
    /// compressed, and its answer is for its client alone.
    func makesAtOnce(_ request: Request, _ path: GatewayPath) -> Bool {
        guard request.method == .post, hooks.isEmpty, !outlivesClient, !request.hasIdempotencyKey,
            request.headers[.contentEncoding] == nil
        else { return false }
        if case .other = path.route { return false }
        return !isAsynchronous(request, path)
    }

    /// Makes the job of such a request.
    /// - Parameter deadline: when its client stops waiting.
    func jobAtOnce(
        for request: Request, path: GatewayPath, admitted: Authenticator.Admitted, id: InsertionID,
        deadline: Deadline,
        body: [UInt8]
    ) throws -> Job {
        var job = try draft(for: request, path: path, admitted: admitted, id: id)
        job.deadline = deadline
        let content = try fill(
            &job,
            with: chatCall(for: request, path: path, admitted: admitted, body: body, metadata: job.metadata))
        try currentRules.decide(&job, with: content, for: admitted.account)
        return job
    }

    /// A request that was refused before its job was whole, for the request log. Of one that was not let in it shows no
    /// more than that.
    /// - Parameters:
    ///   - admitted: nil if it was not let in.
    ///   - project: where it is logged then.
    func refusal(
        of request: Request, path: GatewayPath, admitted: Authenticator.Admitted?, else project: String,
        id: InsertionID, because error: GatewayError
    ) -> Refusal {
        guard let admitted else { return Refusal(id, of: project, path: "", because: error) }
        var refusal = Refusal(id, of: admitted.project, path: path.backendPath, because: error)
        (refusal.account, refusal.rollout) = (admitted.account, path.rollout)
        let said = try? currentRules.metadata(of: request.headers, from: admitted.account)
        refusal.metadata = said?.metadata.entries ?? []
        refusal.bytes = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        return refusal
    }

    /// A job without its body and all that is read from it.
    private func draft(
        for request: Request, path: GatewayPath, admitted: Authenticator.Admitted, id: InsertionID
    ) throws(GatewayError) -> Job {
        let said = try currentRules.metadata(of: request.headers, from: admitted.account)
        var job = Job(
            insertionID: id, project: admitted.project, rollout: path.rollout, account: admitted.account?.id,
            method: request.method.rawValue, path: path.backendPath,
            query: request.uri.query,
            headers: Self.headersToGoOn(of: request),
            clientKey: admitted.clientKey, deadline: Deadline(in: timeout), responseKey: responseKey,
            window: window, metadata: said.metadata)
        (job.user, job.teams) = (admitted.account?.user, admitted.account?.teams ?? [])
        job.rules.others = said.rules
        // Metadata that hooks may change is checked behind them.
        if !isHooked(path) { try currentRules.check(job, request.method) }
        job.options = try CallOptions(request.headers, upTo: clientRetries)
        // The client's wish, until the operator's rules have been asked.
        if !said.wishesLog { job.logging = .withheld }
        try ClientKey.moveFromQuery(of: &job)
        return job
    }

    private func isHooked(_ path: GatewayPath) -> Bool {
        if case .other = path.route { return false }
        return !hooks.isEmpty
    }

    /// Whether a completion's answer shall be fetched later: `Prefer: respond-async` (RFC 7240 §4.1), among other
    /// preferences maybe.
    func isAsynchronous(_ request: Request, _ path: GatewayPath) -> Bool {
        if case .other = path.route { return false }
        return request.headers[values: .prefer].contains { value in
            value.split(separator: ",").contains { preference in
                let name = preference.utf8.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != UInt8(ascii: " ") }
                return String(decoding: name, as: UTF8.self).equalsIgnoringASCIICase("respond-async")
            }
        }
    }

    private static func checkMethod(of request: Request) throws(GatewayError) {
        guard request.method != .post else { return }
        throw .invalidRequest(
            405, code: "method_not_allowed", "A chat completion requires POST, not \(request.method.rawValue)."
        )
    }

    private func idempotency(
        of request: Request, _ path: GatewayPath, _ job: Job, body: [UInt8]
    ) throws -> Idempotency? {
        try request.idempotencyKey().map { key in
            let ids = path.rollout.map { [$0.rollout, $0.invocation, $0.experiment, $0.run, $0.row] } ?? []
            return Idempotency(
                clientKey: key, project: job.project, account: job.account,
                request: ([job.path, job.query ?? "", path.baseURL ?? ""] + ids).map { Array($0.utf8) } + [body],
                envelope: envelope)
        }
    }

    private func chatCall(
        for request: Request, path: GatewayPath, admitted: Authenticator.Admitted, body: [UInt8],
        metadata: ResolvedMetadata
    ) -> ChatCall {
        var headers = request.headers
        if headers[.contentEncoding] != nil { headers[.contentEncoding] = nil }
        var call = ChatCall(
            body: body, rollout: path.rollout, baseURL: path.baseURL, project: admitted.project,
            account: admitted.account, headers: headers)
        call.metadata = metadata
        return call
    }

    /// - Returns: the body.
    private func fill(_ job: inout Job, with call: ChatCall) throws(GatewayError) -> JSONObject? {
        let body = try CompletionBody(chat: call.body, query: job.query, maximumDepth: maximumJSONDepth)
        job.rollout = call.rollout
        if let baseURL = call.baseURL { job.baseURL = try ClientBaseURL(baseURL, addresses: addresses).description }
        (job.body, job.model, job.isStream) = (call.body, body.model, body.isStream)
        return body.object
    }

    /// The content type of the body.
    /// - Throws: 400 for a body that its readers would take apart in different ways.
    private static func contentType(of request: Request, hasBody: Bool) throws(GatewayError) -> String? {
        guard hasBody else { return nil }
        guard request.headers[values: .contentType].count <= 1 else {
            throw .invalidRequest(
                code: "invalid_content_type", "The request has more than one Content-Type. Send one.",
                param: "content-type")
        }
        return request.headers[.contentType]
    }

    /// Headers that never travel: keys and metadata go apart, and these belong to one connection only (RFC 9110
    /// §7.6.1). What of the others a provider may see is decided where the provider is known.
    private static func headersToGoOn(of request: Request) -> [HeaderField] {
        var headers: [HeaderField] = []
        headers.reserveCapacity(request.headers.count)
        for field in request.headers where mayGoOn(field.name.rawName) {
            headers.append(HeaderField(field.name.rawName, field.value))
        }
        return headers
    }

    private static let ownHeaders = [
        "authorization", "cookie", "connection", "http2-settings", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host",
        // The body's codings are undone before anything reads it.
        "content-encoding",
        LoggingSwitch.header,
    ]

    private static func mayGoOn(_ name: String) -> Bool {
        for own in ownHeaders where own.equalsIgnoringASCIICase(name) { return false }
        return !ProviderKeyHeaders.contains(name) && !CarriedMetadata.isCarrier(name)
    }
}

extension GatewayPath {
    fileprivate var rollout: RolloutIDs? { if case .rollout(let ids, _) = route { ids } else { nil } }

    fileprivate var baseURL: String? { if case .rollout(_, let url) = route { url } else { nil } }
}

package import Common
package import Upstream

/// A Langfuse server's traces of one project, through whichever API it speaks.
package struct LangfuseSource: TraceSource {
    /// Traces that are asked for one by one for a page, where the server gives observations in no other way.
    private static let singleTraces = 20

    let store: TraceDestination
    private let identity: TraceIdentity
    private let upstream: any UpstreamClient
    private let budget: RateBudget
    private let apis: LangfuseAPIs
    let limits: LangfuseCallLimits
    private let authorization: HeaderField

    package init(
        _ store: TraceDestination, identity: TraceIdentity, upstream: any UpstreamClient, budget: RateBudget,
        apis: LangfuseAPIs,
        limits: LangfuseCallLimits = .init()
    ) {
        self.store = store
        self.identity = identity
        self.upstream = upstream
        self.budget = budget
        self.apis = apis
        self.limits = limits
        authorization = HeaderField("authorization", store.authorization.reveal())
    }

    package func page(
        _ query: StoreQuery, after cursor: TraceCursor?, limit: Int
    ) async throws(TraceSourceError) -> TracePage {
        let until = query.timeout.map { ContinuousClock.now + $0 }
        // A server that was updated, or set back, no longer has the API that it was known for: then the other one is
        // asked. Each of the two may send to the other once.
        for _ in 0..<3 {
            let api = try await api(until)
            switch (cursor, api) {
            case (nil, _), (.opaque, .v2), (.page, .v1), (.index, .v1): break
            default: throw .cursorLost
            }
            let rows = min(max(limit, 1), api.mostRows)
            if let page = api == .v2
                ? try await newPage(query, after: cursor, limit: rows, until)
                : try await oldPage(query, after: cursor, limit: rows, until)
            {
                return page
            }
            apis.remember(api.other, of: store.host)
        }
        throw .refused(
            "what answers at \(store.host) has neither of Langfuse's read APIs (HTTP 404); check LANGFUSE_HOST")
    }

    /// The API that the server speaks, as far as is known.
    private func api(_ until: ContinuousClock.Instant?) async throws(TraceSourceError) -> LangfuseAPI {
        if let known = apis.api(of: store.host) { return known }
        let answer = try await call("/api/public/health", until)
        if let error = answer.error(from: store.host), case .unavailable = error { throw error }
        let api = LangfuseAPI(version: LangfuseJSON(answer.body)?.text("version") ?? "")
        apis.remember(api, of: store.host)
        return api
    }

    /// A page of the second API; nil if the server does not have it.
    private func newPage(
        _ query: StoreQuery, after cursor: TraceCursor?, limit: Int, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> TracePage? {
        let dialect = LangfuseV2(identity: identity)
        let text: String? = if case .opaque(let text) = cursor { text } else { nil }
        let answer = try await ask(dialect.target(query, cursor: text, limit: limit), by: .v2, until)
        if answer.isNotFound { return nil }
        if let error = answer.error(from: store.host) { throw error }
        guard var page = dialect.page(answer.body, detail: query.detail, whole: query.wholeMetadata) else {
            throw malformed
        }
        if query.scores { try await addScores(to: &page, until) }
        return page
    }

    /// A page of the first API; nil if the server does not have it.
    private func oldPage(
        _ query: StoreQuery, after cursor: TraceCursor?, limit: Int, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> TracePage? {
        guard query.scores || query.detail == .body && query.observations else {
            return try await oldList(query, after: cursor, limit: limit, until)
        }
        if identity == .traceID, case .ids(let ids) = query.selection {
            let first: Int = if case .index(let index) = cursor { index } else { 0 }
            let last = min(first + min(limit, Self.singleTraces), ids.count)
            let page = try await traces(ids[min(first, last)..<last].map(\.hex), until)
            return page.map { TracePage(rows: $0.rows, next: last < ids.count ? .index(last) : nil, bytes: $0.bytes) }
        }
        var list = query
        list.detail = .head
        guard let heads = try await oldList(list, after: cursor, limit: min(limit, Self.singleTraces), until) else {
            return nil
        }
        let page = try await traces(heads.rows.map(\.head.traceID), until)
        return page.map { TracePage(rows: $0.rows, next: heads.next, bytes: $0.bytes) }
    }

    private func oldList(
        _ query: StoreQuery, after cursor: TraceCursor?, limit: Int, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> TracePage? {
        let dialect = LangfuseV1(identity: identity)
        let (number, limit): (Int, Int) =
            if case .page(let page, let rows) = cursor { (page, rows) } else { (1, limit) }
        let answer = try await ask(dialect.target(query, page: number, limit: limit), by: .v1, until)
        if answer.isNotFound { return nil }
        if let error = answer.error(from: store.host) { throw error }
        guard let page = dialect.page(answer.body, detail: query.detail, page: number, limit: limit) else {
            throw malformed
        }
        return page
    }

    /// Traces with their observations, each asked for by itself. One that is not there is left out. Nil if the server
    /// does not have the API.
    private func traces(
        _ names: [String], _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> TracePage? {
        let dialect = LangfuseV1(identity: identity)
        var page = TracePage(rows: [])
        for name in names {
            let answer = try await ask(dialect.target(trace: name), by: .v1, until)
            if answer.isNotFound {
                if LangfuseJSON(answer.body)?.text("message")?.hasPrefix("Trace ") == true { continue }
                return nil
            }
            if let error = answer.error(from: store.host) { throw error }
            guard let row = dialect.trace(answer.body) else { throw malformed }
            page.rows.append(row)
            page.bytes += answer.body.count
        }
        return page
    }

    /// Makes a call within the rate limit.
    func ask(
        _ target: String, by api: LangfuseAPI, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> LangfuseResponse {
        try await budget.take(store, api.bucket, before: until)
        let answer = try await call(target, until)
        try await budget.learn(from: answer, store, api.bucket)
        return answer
    }

    /// - Parameter until: the end of the wait for the answer, even if the store sends a byte now and then.
    private func call(
        _ target: String, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> LangfuseResponse {
        var timeouts = limits.timeouts
        if let until {
            timeouts.total = max(min(timeouts.total, ContinuousClock.now.duration(to: until)), .milliseconds(1))
        }
        let request = UpstreamRequest(
            method: "GET", url: store.host.text + target,
            headers: [authorization, HeaderField("accept", "application/json")],
            timeouts: timeouts, limits: UpstreamLimits(bodyBytes: limits.bodyBytes))
        do {
            return try await upstream.withCall(request) { call in
                let head = try await call.head()
                var body: [UInt8] = []
                while let piece = try await call.next(minimum: 1) { body += piece }
                return LangfuseResponse(status: head.status, headers: head.headers, body: body)
            }
        } catch let error as UpstreamError {
            switch error.code {
            case .tooLarge: throw .tooLarge
            case .cancelled: throw .cancelled
            default: throw .unavailable("the trace store at \(store.host) cannot be reached (\(error))")
            }
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .unavailable("the trace store at \(store.host) cannot be asked")
        }
    }

    var malformed: TraceSourceError {
        .unavailable("what answers at \(store.host) does not speak Langfuse's API; check LANGFUSE_HOST")
    }
}

/// The meaning of a Langfuse answer's status and body (4.16: `withMiddlewares.ts`, `createAuthedProjectAPIRoute.ts`).
struct LangfuseResponse: Sendable {
    /// The time to wait after a 429 that does not say it.
    static let defaultPause = Duration.seconds(10)
    /// The longest pause that is believed.
    static let longestPause = Duration.seconds(300)
    /// Characters of the server's own words that an error repeats.
    private static let mostWords = 200

    let status: Int
    let headers: [HeaderField]
    let body: [UInt8]

    var isNotFound: Bool { status == 404 }

    /// The error that the status stands for; nil for a success.
    /// - Parameter host: for the message.
    func error(from host: BaseURL) -> TraceSourceError? {
        switch status {
        case 200: nil
        case 401, 403:
            .refused(
                "the trace store at \(host) does not let the gateway in (HTTP \(status)\(words)); check the project's langfuse_keys in secrets.yaml"
            )
        case 413: .tooLarge
        // The question itself is too long for a proxy on the way: fewer ids make it shorter.
        case 414, 431: .questionTooLarge
        case 422: isPayload ? .tooLarge : .questionTooLarge
        case 429: .rateLimited(retryAfter: retryAfter ?? Self.defaultPause)
        case 408, 500...: .unavailable("the trace store at \(host) is in trouble (HTTP \(status)\(words))")
        case 300..<400:
            .refused(
                "the trace store at \(host) answers with a redirection (HTTP \(status)); set LANGFUSE_HOST to where it leads"
            )
        default: .refused("the trace store at \(host) refuses the question (HTTP \(status)\(words))")
        }
    }

    /// The time for which the server wants to be left alone; nil if it does not say.
    var retryAfter: Duration? {
        let seconds =
            headers.first(named: "retry-after").flatMap { Int($0) }
            ?? LangfuseJSON(body)?.nested("details")?.count("retryAfterSeconds")
        return seconds.map { min(.seconds(max($0, 1)), Self.longestPause) }
    }

    private var isPayload: Bool { LangfuseJSON(body)?.text("error")?.hasPrefix("PayloadTooLarge") == true }

    /// The server's message, short and on one line.
    private var words: String {
        guard let message = LangfuseJSON(body)?.text("message") else { return "" }
        let scalars = message.unicodeScalars.prefix(Self.mostWords).map {
            $0.properties.generalCategory == .control ? " " : $0
        }
        return ": \(String(String.UnicodeScalarView(scalars)))"
    }
}

import ServiceLifecycle
import TestSupport
import Testing

@testable import Common
@testable import TraceStore
@testable import Upstream
@testable import Verifier

/// The embedded trace store over HTTP, when it speaks one of Langfuse's APIs alone.
@Suite(.timeLimit(.minutes(5))) struct EmbeddedStoreConformanceTests {
    private static let keys = LangfuseKeys(publicKey: SecretString("pk-lf-main"), secretKey: SecretString("sk-lf-main"))

    @Test(arguments: [
        (Faults.Mode.v3Only, TraceIdentity.traceID), (.v3Only, .tag), (.v4Only, .traceID), (.v4Only, .tag),
    ])
    func conforms(_ mode: Faults.Mode, _ identity: TraceIdentity) async throws {
        var faults = Faults()
        faults.mode = mode
        try await Self.withStore(faults) { host in
            let upstream = try CurlUpstream()
            upstream.start()
            defer { upstream.stop() }
            try await withRedisServer { server in
                try await withRedisClient(server.endpoint) { redis in
                    let source = LangfuseSource(
                        .init(host: host, keys: Self.keys), identity: identity, upstream: upstream,
                        budget: RateBudget(redis: redis), apis: .init())
                    try await TraceSourceConformance(
                        source: source, identity: identity,
                        export: { try await Self.export($0, to: host, upstream) },
                        give: { try await Self.give($0, scores: $1, at: host, upstream) }
                    ).check()
                }
            }
        }
    }

    /// Runs `body` with a store on a free port, and stops it afterwards.
    private static func withStore(_ faults: Faults, _ body: (BaseURL) async throws -> Void) async throws {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        // The spans are of another year: none is too old here.
        let limits = TraceStoreService.Limits(age: .seconds(3_000_000_000), bytes: 1 << 30, exportBytes: 8 << 20)
        let store = try TraceStoreService(
            directory: folder, keys: ["main": keys], host: "127.0.0.1", port: 0, limits: limits,
            faults: FaultInjector(faults), logger: .silent,
            onListening: { listening.yield($0) })
        let services = ServiceGroup(services: store.services, logger: .silent)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let result: Result<Void, any Error>
            do { result = .success(try await body(try #require(BaseURL("http://127.0.0.1:\(port)")))) } catch {
                result = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try result.get()
        }
    }

    private static func export(_ spans: [FakeSpan], to host: BaseURL, _ upstream: CurlUpstream) async throws {
        #expect(try await post(FakeSpan.export(spans), to: "otel/v1/traces", of: host, upstream) == 200)
    }

    private static func give(
        _ id: InsertionID, scores values: [String], at host: BaseURL, _ upstream: CurlUpstream
    ) async throws {
        let scores = values.enumerated().map { index, value in
            let observation = index == 0 ? "" : #""observationId":"o","#
            let time = TimeText.iso(1_763_470_000_000 - Int64(index))
            return
                #"{"id":"\#(id) \#(index)","traceId":"\#(id.hex)",\#(observation)"name":"n\#(index)","value":\#(value),"#
                + #""comment":"c","metadata":{"m":1},"timestamp":"\#(time)"}"#
        }
        #expect(try await post("[\(scores.joined(separator: ","))]", to: "scores", of: host, upstream) == 202)
    }

    /// - Returns: the status of the answer.
    private static func post(
        _ body: String, to route: String, of host: BaseURL, _ upstream: CurlUpstream
    ) async throws -> Int {
        let headers = [
            HeaderField("authorization", "Basic cGstbGYtbWFpbjpzay1sZi1tYWlu"),
            HeaderField("content-type", "application/json"),
            HeaderField("x-langfuse-ingestion-version", "4"),
        ]
        let request = UpstreamRequest(
            method: "POST", url: "\(host.text)/api/public/\(route)", headers: headers, body: Array(body.utf8))
        return try await upstream.withCall(request) { call in
            let head = try await call.head()
            while try await call.next(minimum: 1) != nil {}
            return head.status
        }
    }
}

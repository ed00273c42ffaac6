import NIOConcurrencyHelpers
import Testing

@testable import Common
@testable import Upstream
@testable import Verifier

/// Which API is spoken, and what a server's refusals mean.
@Suite(.timeLimit(.minutes(5))) struct LangfuseSourceTests {
    private let ids = InsertionID.samples(3)
    private var query: StoreQuery { StoreQuery(.ids(ids), window: TimeWindow(of: ids, margin: .zero)) }

    private func failure(
        _ status: Int, body: String = "{}", headers: [HeaderField] = []
    ) async throws -> TraceSourceError? {
        let server = FakeLangfuse { target in
            target.hasSuffix("/health") ? nil : .init(status, body: body, headers: headers)
        }
        var failure: TraceSourceError?
        try await withSource(server) { source in
            do throws(TraceSourceError) { _ = try await source.page(query, after: nil, limit: 10) } catch {
                failure = error
            }
        }
        return failure
    }

    /// What the server says of its version may be wrong; a 404 is believed, in both directions, and remembered.
    @Test(arguments: [("v1", "4.0.0"), ("v2", "3.22.1"), ("v1", ""), ("v2", "")])
    func `the other API is tried where one is missing`(_ api: String, _ version: String) async throws {
        let server = FakeLangfuse(apis: [api], version: version)
        server.show(ids.map { FakeSpan($0) })
        let apis = LangfuseAPIs()
        try await withSource(server, apis: apis) { source in
            for _ in 0..<2 {
                let page = try await source.page(query, after: nil, limit: 10)
                #expect(Set(page.rows.flatMap(\.ids)) == Set(ids))
            }
        }
        #expect(apis.api(of: TraceDestination.sample.host) == (api == "v1" ? .v1 : .v2))
        #expect(server.asked == (version == "" && api == "v2" ? 2 : 3))
        #expect(server.targets.count { $0.hasSuffix("/health") } == 1)
    }

    @Test func `a server with neither is told as one`() async throws {
        try await withSource(FakeLangfuse(apis: [])) { source in
            await #expect(throws: TraceSourceError.self) { try await source.page(query, after: nil, limit: 10) }
        }
    }

    @Test func `a cursor of the other API is lost`() async throws {
        try await withSource(FakeLangfuse()) { source in
            await #expect(throws: TraceSourceError.cursorLost) {
                try await source.page(query, after: .page(2, rows: 10), limit: 10)
            }
        }
    }

    @Test(arguments: [401, 403])
    func `keys that do not open are told`(_ status: Int) async throws {
        let failure = try await failure(status, body: #"{"message":"Invalid credentials."}"#)
        guard case .refused(let reason) = failure else { throw Unexpected("\(String(describing: failure))") }
        #expect(reason.contains("HTTP \(status)") && reason.contains("langfuse_keys") && !reason.contains("canary"))
    }

    @Test func `refusals are taken for what they mean`() async throws {
        #expect(try await failure(422, body: #"{"message":"…","error":"Request timed out"}"#) == .questionTooLarge)
        #expect(try await failure(422, body: #"{"message":"…","error":"PayloadTooLargeError"}"#) == .tooLarge)
        #expect(try await failure(413) == .tooLarge)
        #expect(
            try await failure(429, body: "{}", headers: [HeaderField("Retry-After", "12")])
                == .rateLimited(retryAfter: .seconds(12)))
        #expect(
            try await failure(429, body: #"{"details":{"retryAfterSeconds":9}}"#)
                == .rateLimited(retryAfter: .seconds(9)))
        #expect(try await failure(429) == .rateLimited(retryAfter: LangfuseResponse.defaultPause))
        for status in [408, 500, 502, 503, 524] {
            guard case .unavailable = try await failure(status) else { throw Unexpected("\(status)") }
        }
        for status in [301, 400, 410] {
            guard case .refused = try await failure(status) else { throw Unexpected("\(status)") }
        }
        for body in ["", "[]", "<html>", #"{"data":7}"#, #"{"data":[1]}"#] {
            guard case .unavailable = try await failure(200, body: body) else { throw Unexpected("`\(body)`") }
        }
    }

    /// A page is waited for as long as the question says, whatever the store does.
    @Test func `a call ends with the timeout of its question`() async throws {
        let server = FakeLangfuse()
        var query = query
        query.timeout = .seconds(8)
        let asked = query
        try await withSource(server) { source in _ = try await source.page(asked, after: nil, limit: 10) }
        let totals = server.state.withLockedValue { $0.totals }
        #expect(totals.count == 2 && totals.allSatisfy { (.seconds(1)...(.seconds(8))).contains($0) })
    }

    @Test func `a server that cannot be reached is away`() async throws {
        let server = FakeLangfuse { _ in throw UpstreamError(.connect, "no route", requestMayHaveBeenSent: false) }
        try await withSource(server) { source in
            do throws(TraceSourceError) { _ = try await source.page(query, after: nil, limit: 10) } catch {
                guard case .unavailable(let reason) = error else { throw Unexpected("\(error)") }
                #expect(reason.contains("http://store.test") && !reason.contains("canary"))
                return
            }
            throw Unexpected("a page")
        }
    }

    @Test func `the keys go in the header alone`() async throws {
        let server = FakeLangfuse()
        try await withSource(server) { source in _ = try await source.page(query, after: nil, limit: 10) }
        #expect(server.state.withLockedValue { $0.authorizations } == ["Basic cGstbGYtY2FuYXJ5OnNrLWxmLWNhbmFyeQ=="])
        #expect(!server.targets.contains { $0.contains("canary") })
    }

    /// Nothing is asked for that is not looked at.
    @Test func `a listing asks for IDs alone`() async throws {
        let server = FakeLangfuse()
        try await withSource(server) { source in
            _ = try await source.page(StoreQuery(.rollout("r&x"), window: query.window), after: nil, limit: 5000)
        }
        let target = try #require(server.targets.last)
        #expect(
            target.hasPrefix(
                "/api/public/v2/observations?fields=core&limit=1000&fromStartTime=2025-11-22T11%3A52%3A25.000Z&toStartTime="
            ))
        #expect(target.contains("rollout_id%3Ar%26x"))
    }

    @Test func `the form of a condition is fixed`() {
        var filter = LangfuseTarget(path: "/p")
        filter.add(condition: "arrayOptions", on: "tags", anyOf: ["a\"", "b"])
        let json = #"[{"type":"arrayOptions","column":"tags","operator":"any of","value":["a\"","b"]}]"#
        #expect(filter.text == "/p?filter=" + PercentEncoding.segment(json))
    }
}

/// StatusPages of the second API.
@Suite struct LangfuseV2Tests {
    /// A completion that took several calls has spans below its own, which say nothing of it.
    @Test(arguments: [StoreQuery.Detail.id, .head, .body]) func `attempts are no completions`(detail: StoreQuery.Detail)
    {
        let trace = "0198f3a0000070008000000000000001"
        func row(_ parent: String) -> String {
            #"{"id":"a","traceId":"\#(trace)","tags":["insertion_id:x"],"parentObservationId":\#(parent)}"#
        }
        let page = Array(#"{"data":[\#(row("null")),\#(row(#""b""#))],"meta":{}}"#.utf8)
        #expect(LangfuseV2(identity: .traceID).page(page, detail: detail)?.rows.count == 1)
        // A proxy's span may stand below another system's.
        #expect(LangfuseV2(identity: .tag).page(page, detail: detail)?.rows.count == 2)
    }
}

import Common
import Foundation
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TraceStore

/// Spans that come from the same process: what they become, and what can go wrong with them, is what an export over
/// HTTP becomes.
@Suite(.timeLimit(.minutes(5))) struct SpanIntakeTests {
    private static func record(_ number: Int) throws -> SpanRecord {
        let hex = String(format: "%012lx70008000%012lx", SampleSpan.start.milliseconds, number)
        let id = try #require(InsertionID(hex: hex.utf8))
        var writer = SpanRecordWriter(
            id, name: "chat \"é\u{0}", end: SampleSpan.start + 1500, capacity: 0)
        writer.text(.type, "generation")
        writer.text(.traceName, "T\u{0}U")
        writer.texts(.tags, ["rollout_id:R", "insertion_id:\(id)", "row_id:a,b"])
        writer.text(.session, "R")
        writer.text(.traceMetadata, #"{"a":"é","b":[1, 2]}"#)
        writer.text(.temperature, "0.10")
        writer.text(.usageDetails, #"{"input":5,"output":1,"total":6}"#)
        writer.text(.firstToken, (SampleSpan.start + 250).iso8601)
        writer.text(.input, #"{"messages":["é\"\n"]}"#)
        writer.text(.output, "plain\u{0}text")
        return try SpanRecord(writer.bytes)
    }

    private static func export(_ spans: [SpanRecord]) -> [UInt8] {
        let resource =
            #"{"attributes":[{"key":"service.name","value":{"stringValue":"metadata-gateway"}},"#
            + #"{"key":"service.version","value":{"stringValue":"\#(GatewayVersion.current)"}}]}"#
        let scope = #"{"name":"metadata-gateway","version":"\#(GatewayVersion.current)"}"#
        let list = spans.map { String(decoding: $0.otlp, as: UTF8.self) }.joined(separator: ",")
        return Array(
            #"{"resourceSpans":[{"resource":\#(resource),"scopeSpans":[{"scope":\#(scope),"spans":[\#(list)]}]}]}"#.utf8
        )
    }

    /// Everything that the API says of them, to the byte.
    @Test func `the API gives the same for both ways`() async throws {
        try await LiveStore.run { store in
            let spans = try (1...3).map(Self.record)
            #expect(await store.spans.store(spans, of: "main") == .stored)
            let answer = try await store.call(
                "POST", "/api/public/otel/v1/traces", project: "other", headers: ["Content-Type: application/json"],
                body: Self.export(spans))
            #expect(answer.status == 200)
            let fields = "fields=core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
            for path in [
                "/api/public/v2/observations?\(fields)",
                "/api/public/v2/observations?\(fields)&traceId=\(spans[0].id.hex)", "/api/public/traces",
                "/api/public/traces/\(spans[1].id.hex)", "/api/public/traces?tags=rollout_id%3AR",
                "/api/public/v2/observations?\(filter(tags("any of", "insertion_id:\(spans[2].id)")))",
                "/api/public/traces?sessionId=R",
            ] {
                var direct = try await store.call("GET", path).text
                let byOTLP = try await store.call("GET", path, project: "other").text
                #expect(direct.contains(spans[0].id.hex.prefix(20)), "\(path)")
                for quote in ["\"", "/"] {
                    direct = direct.replacing(quote + "main" + quote, with: quote + "other" + quote)
                }
                let isSame = direct == byOTLP
                #expect(isSame, "\(path)")
            }
        }
    }

    /// A span that is sent again, by either way, is one row.
    @Test func `the ways meet in one row`() async throws {
        try await LiveStore.run { store in
            let span = try Self.record(1)
            for _ in 0..<2 {
                #expect(await store.spans.store([span, span], of: "main") == .stored)
                let answer = try await store.call(
                    "POST", "/api/public/otel/v1/traces", headers: ["Content-Type: application/json"],
                    body: Self.export([span]))
                #expect(answer.status == 200)
            }
            #expect(try await store.observations().rows.count == 1)
            #expect(try await store.traces().rows.count == 1)
            #expect(try await store.observations(filter(tags("any of", "row_id:a,b"))).rows.count == 1)
        }
    }

    @Test func `faults meet it`() async throws {
        try await LiveStore.run { store in
            let spans = try (1...2).map(Self.record)
            store.faults.change {
                $0.refusals = [.init(503, on: [.export], times: 1), .init(429, on: [.export], retryAfter: 7, times: 1)]
            }
            #expect(await store.spans.store(spans, of: "main") == SpanStoreResponse(status: 503))
            #expect(await store.spans.store(spans, of: "main") == SpanStoreResponse(status: 429, retryAfter: 7))
            #expect(try await store.observations().rows.isEmpty)
            store.faults.change { faults in
                faults.loses = { $0.hasSuffix("1") }
                faults.visibilityDelay = .seconds(5)
            }
            #expect(await store.spans.store(spans, of: "main") == .stored)
            #expect(try await store.observations().rows.isEmpty)
            store.clock.withLockedValue { $0 += 5000 }
            #expect(try await store.observations().texts("traceId") == [spans[1].id.hex])
        }
    }

    /// What the store takes is there when a fault holds its answer up: the sender sends it again.
    @Test func `it is stored before it is answered`() async throws {
        try await LiveStore.run { store in
            let (reached, goOn) = (TestSignal(), TestSignal())
            store.faults.change { faults in
                faults.waitsAfter = { route in
                    guard route == .export else { return }
                    reached.send()
                    await goOn.wait()
                }
            }
            let span = try Self.record(1)
            async let answer = store.spans.store([span], of: "main")
            await reached.wait()
            #expect(try await store.observations().rows.count == 1)
            goOn.send()
            #expect(await answer == .stored)
        }
    }

    @Test func `a project without keys is refused`() async throws {
        try await LiveStore.run { store in
            let span = try Self.record(1)
            #expect(await store.spans.store([span], of: "nobody").status == 401)
        }
    }
}

import Common
import Testing
import Upstream

@testable import Forwarder

/// A request's metadata in its span: as metadata, as tags, and with its sources.
@Suite struct SpanMetadataTests {
    private static let origins = "langfuse.observation.metadata.gateway_metadata_origins"
    private static let key = "sk-proj-CANARY0123456789abcdef"

    private static func written(
        _ entries: [ResolvedMetadata.Entry], body: String = #"{"messages":[]}"#
    ) throws -> [UInt8] {
        var job = try SpanSample.job(body)
        job.metadata = ResolvedMetadata()
        for entry in entries { job.metadata.set(entry.key, to: entry.value, from: entry.origin) }
        let span = try #require(CompletionSpan(job))
        span.recordHead(UpstreamHead(status: 200))
        span.take(Array("{}".utf8), at: SpanSample.start)
        return span.answered(at: SpanSample.start)
    }

    @Test func `the rules in force are told`() throws {
        var job = try SpanSample.job(#"{"messages":[]}"#)
        func span() throws -> ReadSpan {
            let span = try #require(CompletionSpan(job))
            span.recordHead(UpstreamHead(status: 200))
            span.take(Array("{}".utf8), at: SpanSample.start)
            return try ReadSpan(span.answered(at: SpanSample.start))
        }
        let names = ["rules_hash", "rate_limits"].map { "langfuse.observation.metadata.gateway_\($0)" }
        let without = try span()
        #expect(names.allSatisfy { without.string($0) == nil })
        job.rules = JobRules(hash: "0123456789abcdef", limits: ["{metadata.team}-tokens", "all"])
        let with = try span()
        #expect(names.map(with.string) == ["0123456789abcdef", "{metadata.team}-tokens, all"])
    }

    private static func span(
        _ entries: [ResolvedMetadata.Entry], body: String = #"{"messages":[]}"#
    ) throws -> ReadSpan {
        try ReadSpan(written(entries, body: body))
    }

    @Test func `each source is told`() throws {
        let span = try Self.span([
            .init("team", "r\"ed", from: .header), .init("zone", "eu", from: .gateway), .init("plan", "", from: .key),
        ])
        #expect(span.string(Self.origins) == #"{"team":"header","zone":"gateway","plan":"key"}"#)
        let metadata = try #require(span.string("langfuse.trace.metadata"))
        #expect(metadata.hasSuffix(#""row_id":"a,b","team":"r\"ed","zone":"eu","plan":""}"#), "\(metadata)")
        #expect(span.strings("langfuse.trace.tags")?.prefix(3) == ["team:r\"ed", "zone:eu", "plan:"])
    }

    @Test func `a request without metadata has no attribute for it`() throws {
        let span = try Self.span([])
        #expect(span.string(Self.origins) == nil && span.strings("langfuse.trace.tags")?.count == 6)
    }

    /// The body's own metadata is traced as before, but names no key of the resolved metadata.
    @Test func `resolved metadata stands before the body's`() throws {
        let body = #"{"messages":[],"metadata":{"team":"claimed","other":"x","tags":["team:red","own"]}}"#
        let span = try Self.span([.init("team", "red", from: .key)], body: body)
        let metadata = try #require(span.string("langfuse.trace.metadata"))
        #expect(metadata.contains(#""team":"red","other":"x""#) && !metadata.contains("claimed"))
        #expect(
            span.strings("langfuse.trace.tags")?.prefix(3) == ["team:red", "own", "rollout_id:R"], "a tag stands once")
    }

    @Test func `a secret in metadata is in no attribute`() throws {
        let entries: [ResolvedMetadata.Entry] = [
            .init("api_key", "plain-canary", from: .header), .init("note", "use \(Self.key)", from: .header),
            .init("team", "red", from: .header),
        ]
        let shown = String(decoding: try Self.written(entries), as: UTF8.self)
        #expect(!shown.contains("plain-canary") && !shown.contains("CANARY") && shown.contains("team:red"))
    }

    /// The most that a request may carry fits a span, and what is cut stays JSON.
    @Test func `the largest metadata fits`() throws {
        let value = String(repeating: "🙂", count: 128)
        let span = try Self.span(
            (0..<64).map { .init("\($0)" + String(repeating: "🙂", count: 62), value, from: .header) })
        let metadata = try #require(span.string("langfuse.trace.metadata"))
        #expect(metadata.utf8.count <= SpanLimits.small && metadata.hasPrefix("{") && metadata.hasSuffix("}"))
        #expect(span.strings("langfuse.trace.tags")?.suffix(6).first == "rollout_id:R")
        #expect(span.level == "WARNING")
    }
}

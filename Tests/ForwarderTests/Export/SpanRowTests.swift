import Common
import TestSupport
import Testing
import Upstream

@testable import Forwarder
@testable import TraceStore

/// A span that the embedded store takes as it is becomes the row that it becomes by way of OTLP.
@Suite struct SpanRowTests {
    /// What goes wrong, or not, with a call.
    struct Call: Sendable, CustomStringConvertible {
        var description: String
        var body =
            #"{"model":"openai/gpt-x","messages":[{"role":"user","content":"é\"\n\u0000"}],"temperature":0.10,"n":2,"max_tokens":5}"#
        var status = 200
        var answer: [String] = [SpanRowTests.answer]
        var headers: [HeaderField] = []
        var textBytes = SpanLimits.spanText
        var error: GatewayError?
        var isRepeated = false
        var failures: [FailedAttempt] = []
    }

    static let answer = #"""
        {"id":"c1","model":"gpt-x-1","system_fingerprint":"fp\"","choices":[{"message":{"role":"assistant","content":"hi é"},"finish_reason":"stop"},
        {"message":{"content":"\u0000😀"},"finish_reason":"length"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,
        "prompt_tokens_details":{"cached_tokens":2}}}
        """#
    static let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    static let calls = [
        Call(description: "an answer"), Call(description: "no answer", answer: []),
        Call(description: "no JSON", answer: ["<html>\u{1}"]),
        Call(description: "a refusal", status: 429, answer: [#"{"error":{"message":"slow down sk-1234567890"}}"#]),
        Call(description: "a failure with a status of success", answer: [#"{"error":{"message":"no","code":"x"}}"#]),
        Call(
            description: "an error of the gateway",
            error: .invalidRequest(code: "closed_early", "The \"provider\" hung up.")),
        Call(description: "paid twice", isRepeated: true),
        Call(
            description: "several attempts",
            failures: [
                FailedAttempt(
                    model: "p/\"é", failure: .status(500), began: SpanSample.start, ended: SpanSample.start + 5),
                FailedAttempt(model: "p/b", failure: .streamError, began: SpanSample.start + 6, ended: 0),
            ]),
        Call(
            description: "several attempts that all failed", status: 503, answer: [],
            failures: [FailedAttempt(model: "p/a", failure: .connectError, began: 1, ended: 2)]),
        Call(
            description: "a stream",
            answer: [
                "data: {\"id\":\"s\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}\n\n",
                "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9007199254740993}}\n\n",
                "data: [DONE]\n\n",
            ]),
        Call(
            description: "a stream that breaks off",
            answer: ["data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"]),
        Call(description: "a body that is no object", body: "[1]"),
        Call(
            description: "metadata with our names",
            body: #"""
                {"messages":[],"user":"bob","metadata":{"tags":["t","","t","rollout_id:R"],"scope":1,"attributes":{"a":1},"response":"mine",
                "resourceAttributes":null,"gateway_finish_reasons":2,"a\u0301b\"":"\u00e9","trace_name":"","generation_name":"","metadata":3}}
                """#),
        Call(description: "names", body: #"{"messages":[],"metadata":{"trace_name":"T","generation_name":"G\"é"}}"#),
        Call(description: "deep parameters", body: #"{"messages":\#(deep),"response_format":\#(deep),"top_p":1}"#),
        Call(description: "deep metadata", body: #"{"messages":[],"metadata":{"deep":\#(deep)}}"#),
        Call(description: "parameters twice", body: #"{"messages":[],"seed":3,"seed":4,"top_k":1e2,"top_p":-0.0}"#),
        Call(
            description: "cut texts",
            answer: [#"{"choices":[{"message":{"content":"\#(String(repeating: "é\\n", count: 9000))"}}]}"#],
            textBytes: 4096),
        Call(description: "headers", headers: [HeaderField("Traceparent", "00-f\"-01")]),
        Call(
            description: "long metadata",
            body:
                #"{"messages":[],"metadata":{"long":"\#(String(repeating: "x\\\"", count: 30_000))","b":[1, 2 ,{"c" : 3}]},"stop":["\#(String(repeating: "y", count: 50_000))"]}"#
        ),
    ]

    private static func record(_ call: Call) throws -> [UInt8] {
        var job = try SpanSample.job(call.body, headers: call.headers)
        job.account = nil
        job.metadata.set("team", to: "red\"", from: .gateway)
        job.rules = JobRules(hash: "0123456789abcdef", limits: ["tokens\"", "all"])
        let span = try #require(CompletionSpan(job, textBytes: call.textBytes))
        span.recordRequest(
            Target(
                provider: "openai", model: "gpt-x",
                request: UpstreamRequest(method: "POST", url: "https://p.example", body: job.body)))
        span.isRepeated = call.isRepeated
        span.recordCall("openai/gpt-x", at: SpanSample.start + 7, after: call.failures)
        span.recordHead(UpstreamHead(status: call.status))
        var check = CompletionCheck()
        for piece in call.answer {
            span.take(Array(piece.utf8), at: SpanSample.start + 70)
            check.take(Array(piece.utf8))
        }
        if let error = call.error { return span.failed(error, at: SpanSample.start + 9) }
        return span.answered(call.status == 200 ? check.end() : nil, at: SpanSample.start + 1500)
    }

    private static func rows(_ records: [[UInt8]]) throws -> (direct: [Observation], byOTLP: [Observation]) {
        var batch = ExportBatch()
        batch.spans = try records.map { try OutboxSpan($0) }
        let byOTLP = try Export(form: .json, body: CompressedBody(limit: .max)).content(
            batch.body, in: ExportBudget(limit: 0).share()
        ).observations
        return (try #require(batch.records).flatMap(ObservationMapping.observations), byOTLP)
    }

    @Test(arguments: calls) func `both ways lead to one row`(call: Call) throws {
        let rows = try Self.rows([Self.record(call)])
        #expect(rows.direct == rows.byOTLP)
        // `==` of texts goes by canonical equivalence in a test; the bytes have to agree.
        let texts = [rows.direct, rows.byOTLP].map {
            $0.map { [$0.input, $0.output, $0.metadata, $0.name, $0.statusMessage].map { $0.map { Array($0.utf8) } } }
        }
        #expect(texts[0] == texts[1])
        let attempts = rows.direct.dropFirst()
        #expect(attempts.count == (call.failures.isEmpty ? 0 : call.failures.count + 1))
        #expect(attempts.allSatisfy { $0.type == "SPAN" && $0.parentID == rows.direct[0].id && $0.usage == nil })
        #expect(Set(rows.direct.map(\.id)).count == rows.direct.count && rows.direct[0].type == "GENERATION")
        #expect(rows.direct.first?.metadata != nil && rows.direct.first?.tags.contains("rollout_id:R") == true)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `any text is held`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "\\\"", "\\\\", "\\n", "\\u0000", "é", "e\u{301}", "漢", "😀", "\u{7F}", "a", " ", "\\ud83d\\ude00", "{", "]",
            ",", "scope", "tags",
        ]
        var records: [[UInt8]] = []
        for _ in 0..<200 {
            func text() -> String {
                (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                    .joined()
            }
            let (message, name, value) = (text(), text(), text())
            let body =
                #"{"messages":["\#(message)"],"user":"\#(text())","metadata":{"\#(name)":"\#(value)","x\#(name)":[ "\#(value)" ],"tags":["\#(text())"]}}"#
            let answer =
                #"{"\#(text())y":"\#(text())","model":"\#(text())","choices":[{"message":{"content":"\#(text())"},"finish_reason":"\#(text())"}]}"#
            records.append(try Self.record(Call(description: "", body: body, answer: [answer])))
        }
        let rows = try Self.rows(records)
        for (direct, byOTLP) in zip(rows.direct, rows.byOTLP) { #expect(direct == byOTLP) }
        #expect(rows.direct.count == 200 && rows.byOTLP.count == 200)
    }

    @Test func `a span of version 010 goes by OTLP`() throws {
        var batch = ExportBatch()
        batch.spans = [try OutboxSpan(Self.record(Self.calls[0])), try OutboxSpan(Array("{}".utf8))]
        #expect(batch.records == nil)
        #expect(String(decoding: batch.body, as: UTF8.self).hasSuffix(#"},{}]}]}]}"#))
    }
}

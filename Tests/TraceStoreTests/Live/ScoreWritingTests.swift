import Common
import Compression
import InMemoryLogging
import JSON
import Logging
import TestSupport
import Testing

@testable import TraceStore

/// What is wrong with a score or an event is told for each, and the others are kept.
@Suite(.timeLimit(.minutes(5)))
struct ScoreWritingTests {
    private static let trace = SampleScore.trace(1)

    /// Bodies that are no good, and what the answer names.
    private static let bad = [
        ("{}", "name"), (#"{"name":"","value":1,\#(trace)}"#, "name"), (#"{"name":"n",\#(trace)}"#, "value"),
        (#"{"name":"n","value":true,\#(trace)}"#, "value"), (#"{"name":"n","value":1e999,\#(trace)}"#, "value"),
        (#"{"name":"n","value":1}"#, "exactly one"),
        (#"{"name":"n","value":1,\#(trace),"sessionId":"s"}"#, "exactly one"),
        (#"{"name":"n","value":1,"sessionId":"s","observationId":"o"}"#, "requires traceId"),
        (#"{"name":"n","value":"x","dataType":"NUMERIC",\#(trace)}"#, "number"),
        (#"{"name":"n","value":2,"dataType":"BOOLEAN",\#(trace)}"#, "0 or 1"),
        (#"{"name":"n","value":1,"dataType":"CATEGORICAL",\#(trace)}"#, "text"),
        (#"{"name":"n","value":"","dataType":"TEXT",\#(trace)}"#, "500"),
        (#"{"name":"n","value":"\#(String(repeating: "x", count: 501))","dataType":"TEXT",\#(trace)}"#, "500"),
        (#"{"name":"n","value":"x","dataType":"CORRECTION","sessionId":"s"}"#, "traceId"),
        (#"{"name":"n","value":"x","dataType":"CORRECTION","configId":"c",\#(trace)}"#, "configId"),
        (#"{"name":"n","value":1,"dataType":"OTHER",\#(trace)}"#, "dataType"),
        (#"{"name":"n","value":1,"source":"OTHER",\#(trace)}"#, "source"),
        (#"{"name":"n","value":1,"source":"ANNOTATION",\#(trace)}"#, "configId"),
        (#"{"name":"n","value":1,"comment":5,\#(trace)}"#, "comment"),
        (#"{"name":"n","value":1,"timestamp":"yesterday",\#(trace)}"#, "timestamp"),
        (#"{"name":"n","value":1,"id":"\#(String(repeating: "i", count: 801))",\#(trace)}"#, "id"),
    ]

    @Test func `a bad score is a 400 by itself`() async throws {
        try await LiveStore.run { store in
            for (body, word) in Self.bad {
                let answer = try await store.post("/api/public/scores", body)
                #expect(answer.status == 400 && answer.text.contains(word), "\(body) \(answer.text)")
            }
            for body in ["", "1", "[1", #"{"name":"n","name":"m"}"#] {
                #expect(try await store.post("/api/public/scores", body).status == 400)
                #expect(try await store.post("/api/public/ingestion", body).status == 400)
            }
            #expect(try await store.scores().rows.isEmpty)
        }
    }

    @Test func `a list keeps the good ones and counts the others`() async throws {
        try await LiveStore.run { store in
            let good = SampleScore.all
            let all = try await store.post("/api/public/scores", "[\(good.joined(separator: ","))]")
            #expect(all.status == 202 && all.text == #"{"message":"Accepted"}"#)
            let mixed = Self.bad.map(\.0) + ["5", SampleScore.of("late", value: "1", more: Self.time)]
            let some = try await store.post("/api/public/scores", "[\(mixed.joined(separator: ","))]")
            #expect(some.status == 207)
            let answer = try JSONObject.scan(some.body, maximumDepth: 8)
            #expect(answer.json("accepted") == "1" && answer.json("rejected") == "\(Self.bad.count + 1)")
            #expect(try await store.scores("limit=1").texts("timestamp") == ["2026-11-23T00:00:00.000Z"])
            #expect(try await store.scores().rows.count == good.count + 1)
        }
    }

    private static let time = #""timestamp":"2026-11-23T01:00:00+01:00""#

    @Test func `a score without an ID gets one of its own`() async throws {
        try await LiveStore.run { store in
            var ids: [String] = []
            for id in ["", #""id":"","#, #""id":null,"#] {
                let answer = try await store.post(
                    "/api/public/scores", #"{\#(id)"name":"n","value":1,\#(Self.trace)}"#)
                ids.append(try #require(JSONObject.scan(answer.body, maximumDepth: 2).text("id")))
            }
            #expect(Set(ids.map { UTF8Text($0) }).count == 3 && ids.allSatisfy { $0.utf8.count == 36 })
            #expect(Set(try await store.scores().texts("id").map { UTF8Text($0) }) == Set(ids.map { UTF8Text($0) }))
        }
    }

    @Test func `each event is answered by itself`() async throws {
        try await LiveStore.run { store in
            let time = #""timestamp":"2026-11-22T12:00:00Z""#
            let events = [
                #"{"id":"1","type":"score-create",\#(time),"body":\#(SampleScore.all[0])}"#,
                #"{"id":"2","type":"trace-create",\#(time),"body":{"id":"t"}}"#,
                #"{"id":"3","type":"score-create",\#(time),"body":{"name":"n"}}"#,
                #"{"id":"4","type":"no such event",\#(time),"body":{}}"#,
                #"{"id":"5","type":"generation-update",\#(time),"body":{}}"#, #"{"id":"6"}"#, "7",
                #"{"id":"8","type":"score-create","body":\#(SampleScore.all[1])}"#,
                #"{"id":"9","type":"score-create",\#(time),"body":\#(SampleScore.of("e", value: "1", more: Self.eval))}"#,
            ]
            let answer = try await store.post(
                "/api/public/ingestion", #"{"batch":[\#(events.joined(separator: ","))]}"#)
            #expect(answer.status == 207)
            let body = try JSONObject.scan(answer.body, maximumDepth: 8)
            #expect(body.json("successes") == #"[{"id":"1","status":201},{"id":"9","status":201}]"#)
            let errors = try #require(body.member("errors").flatMap { body.elements($0) }).map {
                try JSONObject.scan(body.bytes, range: $0.value, maximumDepth: 8)
            }
            #expect(errors.map { $0.text("id") } == ["2", "3", "4", "5", "6", "unknown", "8"])
            #expect(errors.map { $0.json("status") } == ["501", "400", "400", "501", "400", "400", "400"])
            #expect(errors[0].text("error")?.contains(#""trace-create""#) == true)
            #expect(errors[1].text("error")?.contains("exactly one") == true)
            #expect(try await store.scores().texts("id").sorted() == ["e", "number"])
        }
    }

    private static let eval = #""source":"EVAL""#

    @Test func `bodies have the bound of exports and may be compressed`() async throws {
        var plan = LiveStore.Plan()
        plan.limits.exportBytes = 4096
        try await LiveStore.run(plan) { store in
            let comment = #""comment":"\#(String(repeating: "x", count: 5000))""#
            let large = SampleScore.of("large", value: "1", more: comment)
            for path in ["ingestion", "scores"] {
                let answer = try await store.post("/api/public/\(path)", large)
                #expect(answer.status == 413 && answer.text.contains("TRACESTORE_MAX_EXPORT_BYTES"))
            }
            let packed = try #require(Gzip.compress(Array(SampleScore.all[0].utf8)))
            let answer = try await store.call(
                "POST", "/api/public/scores", headers: ["Content-Encoding: gzip"], body: packed)
            #expect(answer.status == 200 && answer.text == #"{"id":"number"}"#)
        }
    }

    @Test func `traces are not deleted by request`() async throws {
        try await LiveStore.run { store in
            try await store.export([SampleSpan(1)])
            for path in ["traces", "traces/\(SampleSpan.traceID(1))"] {
                let answer = try await store.call("DELETE", "/api/public/\(path)")
                #expect(answer.status == 501 && answer.text.contains("deletion of traces"))
                #expect(try await store.call("DELETE", "/api/public/\(path)", project: nil).status == 401)
            }
            #expect(try await store.traces().rows.count == 1)
        }
    }

    @Test(arguments: [
        "datasets", "v2/datasets/x", "dataset-items", "dataset-run-items", "v2/prompts/p", "prompts", "media", "models",
        "comments", "score-configs", "metrics", "metrics/daily", "experiments", "otel/v1/metrics", "projects/p/apiKeys",
        "unstable/dashboards",
    ])
    func `what is not served is said`(path: String) async throws {
        let log = InMemoryLogHandler()
        var plan = LiveStore.Plan()
        plan.logger = Logger(label: "test") { _ in log }
        try await LiveStore.run(plan) { store in
            for _ in 0..<2 {
                let answer = try await store.call("GET", "/api/public/\(path)")
                #expect(answer.status == 501 && answer.text.contains("does not serve"), "\(answer.text)")
            }
            #expect(try await store.call("POST", "/api/public/\(path)").status == 501)
            #expect(try await store.call("GET", "/api/public/\(path)", project: nil).status == 401)
            #expect(try await store.call("GET", "/api/public/no-such-thing").status == 404)
            #expect(log.entries.count { "\($0)".contains("does not serve") } == 1)
        }
    }
}

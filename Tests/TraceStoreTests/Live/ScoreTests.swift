import Common
import JSON
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TraceStore

/// Scores are kept and given back by each of Langfuse's three APIs.
@Suite(.timeLimit(.minutes(5)))
struct ScoreTests {
    private static func run<Result: Sendable>(_ body: (LiveStore) async throws -> Result) async throws -> Result {
        try await LiveStore.run { store in
            try await store.export([
                SampleSpan(1, tags: ["a", "b"], [("user.id", "u1"), ("session.id", "s")]),
                SampleSpan(2, tags: ["a"], [("user.id", "u2")]),
            ])
            let answer = try await store.ingest(SampleScore.all)
            #expect(answer.status == 207 && answer.text.hasSuffix(#""errors":[]}"#))
            return try await body(store)
        }
    }

    @Test func `each kind is given back whole`() async throws {
        try await Self.run { store in
            let rows = try await store.scores().rows
            // The newest first.
            #expect(
                rows.map { $0.text("id") } == ["run", "corrected", "text", "truth", "category", "number"])
            let expected: [[String: String?]] = [
                [
                    "value": "2", "stringValue": "null", "dataType": #""NUMERIC""#, "datasetRunId": #""r""#,
                    "configId": #""c""#, "queueId": #""q""#, "metadata": #"{"metadata":[1]}"#, "trace": "null",
                    "traceId": "null",
                ],
                [
                    "value": "0", "stringValue": #""better""#, "dataType": #""CORRECTION""#, "name": #""output""#,
                    "metadata": "{}",
                ],
                [
                    "value": nil, "stringValue": #""an essay""#, "dataType": #""TEXT""#, "sessionId": #""s""#,
                    "trace": "null",
                ],
                [
                    "value": "1", "stringValue": #""True""#, "dataType": #""BOOLEAN""#,
                    "environment": #""production""#,
                    "trace": #"{"userId":"u2","tags":["a"],"environment":"default","sessionId":null}"#,
                ],
                [
                    "value": "0", "stringValue": #""good""#, "dataType": #""CATEGORICAL""#,
                    "observationId": #""8e9f0a1b00000001""#,
                ],
                [
                    "value": "0.5", "stringValue": "null", "dataType": #""NUMERIC""#, "comment": #""half""#,
                    "metadata": #"{"by":"judge"}"#, "source": #""API""#, "projectId": #""main""#,
                    "timestamp": #""2026-11-22T12:00:00.000Z""#, "createdAt": #""2026-11-22T12:00:00.000Z""#,
                    "traceId": #""\#(SampleSpan.traceID(1))""#, "environment": #""default""#,
                    "authorUserId": "null",
                ],
            ]
            for (row, members) in zip(rows, expected) {
                for (name, json) in members { #expect(row.json(name) == json, "\(row.text("id") ?? "") \(name)") }
            }
            #expect(try await store.scores().meta.json("totalItems") == "6")
        }
    }

    @Test func `the third API has one value and the subject`() async throws {
        try await Self.run { store in
            let rows = try await store.scores("fields=details,subject,annotation", path: "v3/scores").rows
            let trace = SampleSpan.traceID(1)
            let expected = [
                "run": ("2", #"{"kind":"experiment","id":"r"}"#), "corrected": (#""better""#, ""),
                "text": (#""an essay""#, #"{"kind":"session","id":"s"}"#), "truth": ("true", ""),
                "category": (
                    #""good""#, #"{"kind":"observation","id":"8e9f0a1b00000001","traceId":"\#(trace)"}"#
                ),
                "number": ("0.5", #"{"kind":"trace","id":"\#(trace)"}"#),
            ]
            #expect(rows.count == expected.count)
            for row in rows {
                let (value, subject) = try #require(expected[row.text("id") ?? ""])
                #expect(row.json("value") == value && (subject.isEmpty || row.json("subject") == subject))
                #expect(row.json("comment") != nil && row.json("authorUserId") == "null")
            }
            let core = try #require(try await store.scores("limit=1", path: "v3/scores").rows.first)
            #expect(core.json("subject") == nil && core.json("comment") == nil && core.json("name") != nil)
        }
    }

    @Test(arguments: [
        ("traceId=\(SampleSpan.traceID(1))", ["corrected", "category", "number"]),
        ("observationId=x,8e9f0a1b00000001", ["category"]), ("sessionId=s", ["text"]), ("datasetRunId=r", ["run"]),
        ("name=name%20of%20truth", ["truth"]), ("dataType=NUMERIC", ["run", "number"]), ("configId=c", ["run"]),
        ("queueId=q", ["run"]), ("scoreIds=text,%20number,none", ["text", "number"]), ("source=EVAL", []),
        ("value=1&operator=%3E%3D&dataType=NUMERIC", ["run"]), ("value=2", ["run"]),
        ("value=0&operator=!%3D", ["run", "truth", "number"]), ("environment=production", ["truth"]),
        ("userId=u2", ["truth"]), ("traceTags=a&traceTags=b", ["corrected", "category", "number"]),
        ("traceTags=a&limit=1", ["corrected"]), ("limit=2&page=2", ["text", "truth"]), ("page=4&limit=2", []),
        ("fromTimestamp=2026-11-22T12:00:02Z&toTimestamp=2026-11-22T12:00:04Z", ["text", "truth"]),
        ("fields=score&limit=1", ["run"]),
        (
            filter(#"{"type":"stringObject","column":"metadata","key":"by","operator":"=","value":"judge"}"#),
            ["number"]
        ),
        (filter(#"{"type":"number","column":"value","operator":">","value":0.7}"#), ["run", "truth"]),
        (filter(options("stringValue", "any of", values: ["good", "True"])), ["truth", "category"]),
        (filter(tags("none of", "b")), ["run", "text", "truth"]),
    ])
    func `scores are chosen`(query: String, expected: [String]) async throws {
        try await Self.run { store in
            let page = try await store.scores(query)
            #expect(page.texts("id") == expected)
            if !query.contains("limit") { #expect(page.meta.json("totalItems") == "\(expected.count)") }
        }
    }

    @Test(arguments: [
        ("traceId=\(SampleSpan.traceID(1))", ["corrected", "category", "number"]),
        ("traceId=\(SampleSpan.traceID(1)),\(SampleSpan.traceID(2))&observationId=8e9f0a1b00000001", ["category"]),
        ("experimentId=r", ["run"]), ("sessionId=x,s", ["text"]), ("id=text,run", ["run", "text"]),
        ("dataType=boolean,text", ["text", "truth"]), ("source=api&name=name%20of%20run", ["run"]),
        ("dataType=NUMERIC&valueMin=0.5&valueMax=1", ["number"]), ("dataType=NUMERIC&value=2,7", ["run"]),
        ("dataType=BOOLEAN&value=true", ["truth"]), ("dataType=CATEGORICAL&value=bad,good", ["category"]),
        ("configId=c&queueId=q", ["run"]), ("authorUserId=x", []),
        ("fromTimestamp=2026-11-22T12:00:05Z", ["run"]),
    ])
    func `the third API chooses`(query: String, expected: [String]) async throws {
        try await Self.run { store in
            let page = try await store.scores(query, path: "v3/scores")
            #expect(page.texts("id") == expected)
        }
    }

    @Test func `pages of the third API follow their cursor`() async throws {
        try await LiveStore.run { store in
            // Of one time, so that only their ids tell them apart.
            let scores = (100..<225).map { SampleScore.of("s\($0)", value: "\($0)", more: Self.time) }
            try await store.ingest(scores)
            var (ids, cursor): ([String], String?) = ([], nil)
            repeat {
                let page = try await store.scores(
                    "limit=50" + (cursor.map { "&cursor=\($0)" } ?? ""), path: "v3/scores")
                ids += page.texts("id")
                cursor = page.cursor
                #expect(page.meta.json("limit") == "50")
            } while cursor != nil
            #expect(ids == (100..<225).map { "s\($0)" }.reversed())
        }
    }

    private static let time = #""timestamp":"2026-11-22T13:00:00+01:00""#

    @Test(arguments: [
        ("v2/scores", "limit=101"), ("v2/scores", "page=0"), ("v2/scores", "dataType=OTHER"),
        ("v2/scores", "value=x"), ("v2/scores", "operator=~"), ("v2/scores", "fromTimestamp=x"),
        ("v2/scores", "fields=trace"), ("v2/scores", "fields=score&userId=u"), ("v2/scores", "filter=1"),
        ("v2/scores", filter(options("level", "any of", values: ["x"]))),
        ("v3/scores", "limit=0"), ("v3/scores", "cursor=x"), ("v3/scores", "fields=core,all"),
        ("v3/scores", "page=1"), ("v3/scores", "userId=u"), ("v3/scores", "observationId=x"),
        ("v3/scores", "traceId=a&sessionId=b"), ("v3/scores", "value=1"), ("v3/scores", "valueMin=1"),
        ("v3/scores", "dataType=NUMERIC&value=x"), ("v3/scores", "dataType=BOOLEAN&value=1"),
        ("v3/scores", "source=other"), ("scores", "limit=101"),
    ])
    func `bad queries are told so`(path: String, query: String) async throws {
        try await LiveStore.run { store in
            let answer = try await store.call("GET", "/api/public/\(path)?\(query)")
            #expect(answer.status == 400 && answer.text.hasPrefix(#"{"message":""#), "\(answer.text)")
        }
    }

    @Test func `the first API knows scores of traces alone`() async throws {
        try await Self.run { store in
            let page = try await store.scores(path: "scores")
            #expect(page.texts("id") == ["truth", "category", "number"] && page.meta.json("totalItems") == "3")
            #expect(page.rows.first?.json("trace")?.contains(#""userId":"u2""#) == true)
            for (id, status) in [("number", 200), ("corrected", 404), ("text", 404), ("none", 404)] {
                #expect(try await store.call("GET", "/api/public/scores/\(id)").status == status)
            }
            let one = try await store.call("GET", "/api/public/v2/scores/text")
            #expect(
                one.status == 200 && one.text.contains(#""stringValue":"an essay""#) && !one.text.contains("trace\":"))
            let list = try await store.traces("tags=b")
            #expect(list.rows.first?.json("scores") == #"["category","number"]"#)
            let whole = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(1))").text
            #expect(whole.contains(#""name":"name of number""#) && whole.contains(#""value":0.5"#))
            let core = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(1))?fields=core").text
            #expect(core.contains(#""scores":[]"#))
        }
    }

    @Test func `a score that is sent again takes the place of the old`() async throws {
        try await Self.run { store in
            store.clock.withLockedValue { $0 += 60_000 }
            let new = SampleScore.of("number", value: #""now a word""#, target: SampleScore.trace(2))
            #expect(try await store.post("/api/public/scores", new).text == #"{"id":"number"}"#)
            let rows = try await store.scores("scoreIds=number").rows
            #expect(rows.count == 1)
            let row = try #require(rows.first)
            #expect(row.text("stringValue") == "now a word" && row.text("traceId") == SampleSpan.traceID(2))
            #expect(row.json("comment") == "null" && row.text("timestamp") == "2026-11-22T12:01:00.000Z")
            #expect(
                row.text("createdAt") == "2026-11-22T12:00:00.000Z"
                    && row.text("updatedAt") == "2026-11-22T12:01:00.000Z")
        }
    }

    @Test func `a deleted score is gone and that of another project stays`() async throws {
        try await Self.run { store in
            try await store.ingest(SampleScore.all, project: "other")
            for _ in 0..<2 {
                let answer = try await store.call("DELETE", "/api/public/scores/number")
                #expect(answer.status == 202 && answer.text.contains("message"))
            }
            #expect(try await store.scores().texts("id").contains("number") == false)
            #expect(try await store.scores(project: "other").rows.count == 6)
            #expect(try await store.scores("traceId=\(SampleSpan.traceID(1))", project: "other").rows.count == 3)
            #expect(try await store.call("GET", "/api/public/v2/scores", project: nil).status == 401)
            #expect(try await store.call("DELETE", "/api/public/v2/scores/text").status == 405)
            #expect(try await store.call("PUT", "/api/public/scores").status == 405)
        }
    }
}

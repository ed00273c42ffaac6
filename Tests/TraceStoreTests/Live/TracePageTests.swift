import Common
import JSON
import TestSupport
import Testing

@testable import TraceStore

/// The older API: `GET /api/public/traces` and `/traces/{id}`.
@Suite(.timeLimit(.minutes(5)))
struct TracePageTests {
    /// 10 traces, one a second; those from 5 on have a child, which has a tag of its own.
    private static let spans: [SampleSpan] = (0..<10).flatMap { number in
        let root = SampleSpan(
            number, tags: ["all", "number:\(number)"],
            [
                ("langfuse.trace.name", "name \(number % 2)"), ("session.id", "s"), ("user.id", "u\(number % 3)"),
                ("langfuse.release", "r"),
                ("langfuse.version", "v"), ("langfuse.environment", "test"),
                ("langfuse.observation.input", #"{"a": [1.50]}"#),
                ("langfuse.observation.output", "no { JSON"), ("gen_ai.usage.cost", "0.25"),
            ])
        guard number >= 5 else { return [root] }
        var child = SampleSpan(number, tags: ["child"], second: number + 60)
        child.parent = root.id
        child.spanID = "00000000000000c\(number)"
        return [child, root]
    }

    private static func run<Result: Sendable>(_ body: (LiveStore) async throws -> Result) async throws -> Result {
        try await LiveStore.run { store in
            try await store.export(spans)
            return try await body(store)
        }
    }

    @Test(arguments: [
        ("", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), ("limit=3", [9, 8, 7]), ("limit=3&page=2", [6, 5, 4]),
        ("limit=3&page=9", []),
        ("tags=all&tags=number:4", [4]), ("tags=all,number:4", [4]), ("tags=all&tags=child&limit=2", [9, 8]),
        ("tags=nobody's", []),
        ("userId=u1", [7, 4, 1]), ("name=name%200&limit=2", [8, 6]), ("name=name+0&limit=2", [8, 6]),
        ("sessionId=s&limit=1", [9]), ("release=x", []),
        ("version=v&release=r&limit=1", [9]), ("environment=test&limit=1", [9]), ("environment=default", []),
        ("fromTimestamp=2026-11-22T12:00:03Z&toTimestamp=2026-11-22T12:00:05Z", [4, 3]),
        ("orderBy=timestamp.asc&limit=2", [0, 1]),
        ("orderBy=id.desc&limit=1", [9]),
        (filter(tags("any of", "number:1", "number:8", "child")) + "&limit=2", [9, 8]),
        (filter(tags("none of", "child")) + "&limit=1", [4]), (filter(tags("all of", "child", "number:6")), [6]),
        (filter(options("id", "any of", values: [SampleSpan.traceID(2), SampleSpan.traceID(6)])), [6, 2]),
        ("tags=all&fromTimestamp=2026-11-22T12:00:08Z", [9, 8]),
    ])
    func `traces are chosen`(query: String, expected: [Int]) async throws {
        #expect(try await Self.run { try await $0.traces(query).numbers } == expected)
    }

    @Test(arguments: [
        "limit=101", "limit=0", "page=0", "orderBy=timestamp", "orderBy=nobody.asc", "fromTimestamp=x", "filter=1",
    ])
    func `bad queries are told so`(query: String) async throws {
        try await LiveStore.run { store in
            let answer = try await store.call("GET", "/api/public/traces?\(query)")
            #expect(answer.status == 400 && answer.text.hasPrefix(#"{"message":""#))
        }
    }

    @Test func `a list shows the observations IDs`() async throws {
        try await Self.run { store in
            let page = try await store.traces("tags=number:9")
            let row = try #require(page.rows.first)
            let parts = [
                "observations": #"["8e9f0a1b00000009","00000000000000c9"]"#, "scores": "[]",
                "tags": #"["child","all","number:9"]"#,
                "input": #"{"a": [1.50]}"#, "output": #""no { JSON""#, "externalId": "null",
                "timestamp": #""2026-11-22T12:00:09.000Z""#,
                "latency": "61.5", "totalCost": "0.25", "projectId": #""main""#, "name": #""name 1""#,
                "environment": #""test""#,
                "htmlPath": #""/project/main/traces/\#(SampleSpan.traceID(9))""#,
            ]
            for (name, json) in parts { #expect(row.json(name) == json, "\(name)") }
            let meta = ["page": "1", "limit": "50", "totalItems": "1", "totalPages": "1"]
            for (name, json) in meta { #expect(page.meta.json(name) == json) }
        }
    }

    @Test func `core alone leaves the rest out`() async throws {
        try await Self.run { store in
            let row = try #require(try await store.traces("fields=core&tags=number:9").rows.first)
            #expect(row.member("input") == nil && row.member("metadata") == nil && row.json("observations") == "[]")
            #expect(row.json("latency") == "-1" && row.json("totalCost") == "-1" && row.json("tags") != nil)
        }
    }

    @Test func `one trace shows its observations whole`() async throws {
        try await Self.run { store in
            let answer = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(9))")
            let trace = try JSONObject.scan(answer.body, maximumDepth: 64)
            let list = try #require(trace.member("observations").flatMap { trace.elements($0) })
            #expect(list.count == 2)
            let first = try JSONObject.scan(trace.bytes, range: list[0].value, maximumDepth: 64)
            #expect(
                first.text("id") == "8e9f0a1b00000009" && first.json("input") == #"{"a": [1.50]}"#
                    && first.json("latency") == "1.5")
            #expect(
                first.json("usage") == #"{"unit":"TOKENS","input":0,"output":0,"total":0}"#
                    && first.json("usageDetails") == "{}")
            let missing = try await store.call("GET", "/api/public/traces/nobody%20s")
            #expect(missing.status == 404)
            #expect(
                missing.text
                    == #"{"message":"Trace nobody s not found within authorized project","error":"LangfuseNotFoundError"}"#
            )
        }
    }

    @Test func `what is said of a trace is gathered`() async throws {
        try await LiveStore.run { store in
            try await store.export([
                SampleSpan(
                    1, tags: ["a"], second: 5, [("langfuse.trace.name", "early"), ("langfuse.trace.input", "1")])
            ])
            var late = SampleSpan(1, tags: ["b"], second: 3, [("langfuse.trace.name", "late"), ("user.id", "u")])
            late.spanID = "00000000000000ff"
            late.parent = "8e9f0a1b00000001"
            try await store.export([late])
            let row = try #require(try await store.traces("tags=a&tags=b").rows.first)
            #expect(
                row.text("timestamp") == "2026-11-22T12:00:03.000Z" && row.text("name") == "late"
                    && row.text("userId") == "u")
            #expect(row.json("tags") == #"["a","b"]"# && row.json("input") == "1")
        }
    }
}

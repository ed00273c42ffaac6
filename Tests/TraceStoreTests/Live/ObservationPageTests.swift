import Common
import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import TraceStore

/// `GET /api/public/v2/observations` and the counts of `v2/metrics`: which rows, in which order, in which pages.
@Suite(.timeLimit(.minutes(5)))
struct ObservationPageTests {
    /// 20 spans, one a second; the odd ones have the tag `odd`, each its own and all `all`.
    private static let spans = (0..<20).map { number in
        SampleSpan(
            number, tags: ["all", "number:\(number)"] + (number % 2 == 1 ? ["odd"] : []),
            [
                ("session.id", "s\(number % 4)"), ("user.id", "u\(number % 3)"),
                ("langfuse.environment", number < 5 ? "production" : "test"),
                ("langfuse.observation.type", number % 5 == 0 ? "event" : "generation"),
                ("langfuse.observation.level", number == 3 ? "ERROR" : "DEFAULT"),
                ("langfuse.observation.metadata.row", "r\(number)"), ("langfuse.observation.input", "in \(number)"),
            ])
    }

    private func numbers(_ query: String) async throws -> [Int] {
        try await LiveStore.run { store in
            try await store.export(Self.spans)
            return try await store.observations(query).numbers
        }
    }

    @Test(arguments: [
        (filter(tags("any of", "odd")) + "&limit=3", [19, 17, 15]),
        (filter(tags("any of", "number:1", "number:7", "number:1", "nobody's")), [7, 1]),
        (filter(tags("all of", "all", "odd", "number:5")), [5]),
        (filter(tags("all of", "odd", "number:4")), []),
        (filter(tags("any of", "odd"), tags("none of", "number:19", "number:17")) + "&limit=2", [15, 13]),
        (filter(tags("none of", "odd")) + "&limit=2", [18, 16]),
        (filter(tags("any of", "odd"), options("sessionId", "any of", values: ["s1"])) + "&limit=2", [17, 13]),
        (
            filter(
                options(
                    "traceId", "any of",
                    values: [SampleSpan.traceID(3), SampleSpan.traceID(11), SampleSpan.traceID(99)])),
            [11, 3]
        ),
        (
            filter(
                options("traceId", "any of", values: [SampleSpan.traceID(3), SampleSpan.traceID(4)]),
                tags("any of", "odd")),
            [3]
        ),
        (filter(options("userId", "none of", values: ["u0", "u1"])) + "&limit=2", [17, 14]),
        (filter(#"{"type":"string","column":"sessionId","operator":"=","value":"s2"}"#) + "&limit=2", [18, 14]),
        (filter(#"{"type":"string","column":"id","operator":"ends with","value":"00b"}"#), [11]),
        (
            filter(#"{"type":"string","column":"traceId","operator":"starts with","value":"0198c1f2"}"#) + "&limit=1",
            [19]
        ),
        (filter(#"{"type":"string","column":"environment","operator":"contains","value":"duct"}"#) + "&limit=1", [4]),
        (
            filter(#"{"type":"string","column":"environment","operator":"does not contain","value":"test"}"#)
                + "&limit=1", [4]
        ),
        (filter(#"{"type":"string","column":"input","operator":"=","value":"in 12"}"#), [12]),
        (filter(#"{"type":"stringObject","column":"metadata","key":"row","operator":"=","value":"r9"}"#), [9]),
        (filter(#"{"type":"datetime","column":"startTime","operator":">","value":"2026-11-22T12:00:17Z"}"#), [19, 18]),
        (
            filter(#"{"type":"datetime","column":"endTime","operator":"<=","value":"2026-11-22T13:00:02.500+01:00"}"#),
            [1, 0]
        ),
        (filter(#"{"type":"number","column":"latency","operator":">","value":1.6}"#), []),
        (filter(#"{"type":"boolean","column":"isRootObservation","operator":"=","value":true}"#) + "&limit=1", [19]),
        (filter(#"{"type":"boolean","column":"isRootObservation","operator":"<>","value":true}"#), []),
        (filter(#"{"type":"null","column":"parentObservationId","operator":"is null"}"#) + "&limit=1", [19]),
        (filter(#"{"type":"null","column":"release","operator":"is not null"}"#), []),
        ("sessionId=s0&limit=2", [16, 12]), ("userId=u1&type=EVENT", [10]), ("traceId=\(SampleSpan.traceID(6))", [6]),
        ("level=ERROR", [3]),
        ("environment=production&limit=1", [4]), ("environment=production,test&limit=1", [19]),
        ("environment=a&environment=production&limit=1", [4]),
        ("name=litellm_request&limit=1", [19]), ("version=9", []), ("isRootObservation=false", []),
        ("parentObservationId=&limit=1", [19]),
        ("fromStartTime=2026-11-22T12:00:05Z&toStartTime=2026-11-22T12:00:08.000%2B00:00", [7, 6, 5]),
        // The filter goes before a simple parameter on the same column.
        ("sessionId=s0&" + filter(options("sessionId", "any of", values: ["s1"])) + "&limit=1", [17]),
        ("limit=0", []),
    ])
    func `rows are chosen`(query: String, expected: [Int]) async throws {
        #expect(try await numbers(query) == expected)
    }

    @Test(arguments: [
        "limit=1001", "limit=-1", "limit=x", "cursor=x", "cursor=e30=", "fromStartTime=yesterday",
        "fromStartTime=2026-13-01T00:00:00Z",
        "parseIoAsJson=true",
        "filter=x", "filter=%7B%7D", filter("1"),
        filter(#"{"type":"string","column":"nobody","operator":"=","value":"x"}"#),
        filter(#"{"type":"string","column":"name","operator":"like","value":"x"}"#), filter(tags("some of", "x")),
        filter(#"{"type":"string","column":"tags","operator":"=","value":"x"}"#), "filter=%5B%5D,%22x%22:1", "name=%ff",
        filter(#"{"type":"stringObject","column":"metadata","key":"a\"b","operator":"=","value":"x"}"#),
        filter(#"{"type":"datetime","column":"startTime","operator":">","value":5}"#),
    ])
    func `bad queries are told so`(query: String) async throws {
        try await LiveStore.run { store in
            let answer = try await store.call("GET", "/api/public/v2/observations?\(query)")
            #expect(answer.status == 400 && answer.text.hasPrefix(#"{"message":""#), "\(answer.text)")
        }
    }

    @Test(arguments: [
        filter(tags("any of", "all")), filter(tags("any of", "all", "odd")), "",
        filter(options("sessionId", "any of", values: ["s"])),
    ])
    func `pages join without gap and repetition`(query: String) async throws {
        try await LiveStore.run { store in
            // Many rows a second, so that pages end between rows of one time.
            let spans = (0..<50).map { SampleSpan($0, tags: ["all"], second: $0 / 20, [("session.id", "s")]) }
            try await store.export(spans)
            var numbers: [Int] = []
            var cursor: String?
            var pages = 0
            repeat {
                let page = try await store.observations(
                    query + "&limit=7" + (cursor.map { "&cursor=" + PercentEncoding.segment($0) } ?? ""))
                #expect(page.rows.count <= 7)
                numbers += page.numbers
                cursor = page.cursor
                pages += 1
            } while cursor != nil && pages < 20
            #expect(numbers == (0..<50).reversed() && pages == 8)
        }
    }

    @Test func `the last page that is full has no cursor`() async throws {
        try await LiveStore.run { store in
            try await store.export((0..<7).map { SampleSpan($0) })
            #expect(try await store.observations("limit=7").cursor == nil)
            let cursor = try #require(try await store.observations("limit=6").cursor)
            let decoded = try JSONObject.scan(Array(try #require(Data(base64Encoded: cursor))), maximumDepth: 2)
            #expect(
                decoded.text("lastStartTimeTo") == "2026-11-22T12:00:01.000Z"
                    && decoded.text("lastTraceId") == SampleSpan.traceID(1))
        }
    }

    @Test func `groups that are not asked for are absent`() async throws {
        try await LiveStore.run { store in
            try await store.export([
                SampleSpan(1, tags: ["t"], [("langfuse.observation.metadata.long", String(repeating: "x", count: 300))])
            ])
            let core = ["id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type"]
            let prices = ["modelId", "inputPrice", "outputPrice", "totalPrice"]
            func members(_ query: String) async throws -> [String] {
                let row = try #require(try await store.observations(query).rows.first)
                return row.members.compactMap { row.name(of: $0) }
            }
            #expect(try await members("fields=core") == core + prices)
            #expect(try await members("fields=core,trace_context") == core + ["tags", "release", "traceName"] + prices)
            #expect(try await members("fields=io,nonsense") == core + ["input", "output"] + prices)
            #expect(try await members("").contains("isRootObservation"))
            let short = try await store.observations("fields=metadata").rows[0].json("metadata") ?? ""
            let long =
                try await store.observations("fields=metadata&expandMetadata=a,long").rows[0].json("metadata") ?? ""
            #expect(
                short.contains(#""long":"\#(String(repeating: "x", count: 200))""#)
                    && long.contains(#""long":"\#(String(repeating: "x", count: 300))""#))
        }
    }

    @Test func `rows are counted`() async throws {
        try await LiveStore.run { store in
            try await store.export(Self.spans)
            #expect(try await store.count() == #"{"data":[{"count_count":"20"}]}"#)
            #expect(try await store.count("[\(tags("any of", "odd"))]") == #"{"data":[{"count_count":"10"}]}"#)
            #expect(
                try await store.count("[\(tags("any of", "odd", "number:0", "number:1"))]")
                    == #"{"data":[{"count_count":"11"}]}"#)
            for query in [
                "", "{}", #"{"view":"traces","metrics":[{"measure":"count","aggregation":"count"}],"filters":[]}"#,
                #"{"view":"observations","metrics":[{"measure":"latency","aggregation":"p95"}],"filters":[],"fromTimestamp":"2026-01-01T00:00:00Z"}"#,
            ] {
                #expect(
                    try await store.call("GET", "/api/public/v2/metrics?query=\(PercentEncoding.segment(query))").status
                        == 400)
            }
        }
    }
}

import Common
import JSON
import RequestLog
import TestSupport
import Testing

@testable import RequestLog

/// Questions by path and query are answered as docs/requestlog.md says.
struct RequestLogResponderTests {
    private let log = MemoryRequestLog()

    private func ask(
        _ path: String, _ query: String = "", project: String = "p"
    ) async throws -> (RequestLogResponse, String) {
        let responder = RequestLogResponder(
            store: log, audits: MemoryAuditLog(), now: { SampleRequests.start + 3_600_000 })
        let answer = try await responder.answer(path, QueryItems(query), for: LogAsker(project: project))
        var bytes: [UInt8] = []
        try await answer.write { bytes += $0 }
        return (answer, String(decoding: bytes, as: UTF8.self))
    }

    private static func row(_ number: Int) -> RequestRow {
        var row = RequestRow(
            id: InsertionID(milliseconds: SampleRequests.start.milliseconds, counter: UInt64(number), randomBits: 5),
            project: "p",
            outcome: .succeeded, status: 200)
        row.rollout = RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "u", row: "1")
        row.metadata = [.init("environment", number % 2 == 0 ? "prod" : "staging", from: .header)]
        row.user = "=HYPERLINK(\"http://x\")"
        row.teams = ["a, b", "c"]
        row.modelServed = "gpt"
        row.tokens.input = 10
        row.cost = 0.125
        row.latency = UInt64(100 * number)
        row.attempts = [SpanAttempt(number: 1, model: "openai/gpt", failure: nil, began: 1000, ended: 2000)]
        return row
    }

    @Test func `a page has rows and a cursor`() async throws {
        try await log.add((0..<5).map { Self.row($0) })
        let (answer, first) = try await ask("/logs/requests", "metadata.environment=prod&limit=2")
        #expect(answer.status == 200 && answer.contentType == "application/json")
        let page = try JSONObject.scan(Array(first.utf8), maximumDepth: 8)
        let cursor = try #require(page.member("next_cursor").flatMap { page.string($0) })
        let rows = try #require(page.member("data").flatMap { page.elements($0) })
        #expect(rows.count == 2)
        #expect(first.contains(#""insertion_id":"\#(Self.row(4).id)","time":"2026-09-21T"#))
        #expect(first.contains(#""metadata":{"environment":"prod"}"#) && first.contains(#""cost_usd":0.125"#))
        #expect(first.contains(#""output_tokens":null"#) && !first.contains("attempts"))
        let (_, second) = try await ask("/logs/requests", "metadata.environment=prod&limit=2&cursor=\(cursor)")
        #expect(second.contains("\(Self.row(0).id)") && second.contains(#""next_cursor":null"#))
    }

    @Test func `one row has its attempts`() async throws {
        try await log.add([Self.row(1)])
        let (_, text) = try await ask("/logs/requests/\(Self.row(1).id)")
        #expect(text.contains(#""metadata_origins":{"environment":"header"}"#))
        #expect(
            text.contains(
                #""attempts":[{"number":1,"model":"openai/gpt","failure":null,"began_at":"1970-01-01T00:00:01.000Z","ended_at":"1970-01-01T00:00:02.000Z"}]"#
            ))
        for (path, status) in [("/logs/requests/\(Self.row(2).id)", 404), ("/logs/requests/7", 400), ("/logs/x", 404)] {
            let error = await #expect(throws: GatewayError.self) { try await ask(path) }
            #expect(error?.status == status)
        }
        let error = await #expect(throws: GatewayError.self) {
            try await ask("/logs/requests/\(Self.row(1).id)", project: "q")
        }
        #expect(error?.code == "request_not_found")
    }

    @Test func `exports have all rows`() async throws {
        try await log.add((0..<2500).map { Self.row($0) })
        let (answer, lines) = try await ask("/logs/requests", "format=jsonl")
        #expect(answer.contentType == "application/jsonl")
        let rows = lines.split(separator: "\n")
        #expect(rows.count == 2500)
        #expect(Set(texts: rows.map { String($0) }).count == 2500)
        for line in rows.prefix(20) { _ = try JSONObject.scan(Array(line.utf8), maximumDepth: 8) }
        let (table, csv) = try await ask("/logs/requests", "format=csv&metadata.environment=prod&from=2h")
        #expect(table.contentType == "text/csv; charset=utf-8")
        let records = csv.split(separator: "\r\n")
        #expect(records.count == 1251 && records[0].hasPrefix("insertion_id,time,project_id,"))
        let columns = records[0].split(separator: ",").count
        #expect(columns == 35)
        #expect(records[1].contains(#","'=HYPERLINK(""http://x"")","[""a, b"",""c""]","{""environment"":""prod""}","#))
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\r\nb", "\"a\r\nb\""), ("=1+1", "\"'=1+1\""),
        ("+1", "\"'+1\""), ("-1", "\"'-1\""), ("@x", "\"'@x\""), ("\tx", "\"'\tx\""), ("\rx", "\"'\rx\""), ("", ""),
    ])
    func `a field is no formula`(text: String, field: String) {
        var out: [UInt8] = []
        CSV.appendField(text, to: &out)
        #expect(String(decoding: out, as: UTF8.self) == field)
    }

    @Test func `a chart shows rows without a value`() async throws {
        var bare = Self.row(9)
        bare.metadata = [.init("other", "(none)", from: .header)]
        try await log.add((0..<3).map { Self.row($0) } + [bare])
        let (_, text) = try await ask(
            "/metrics/query", "measures=requests,latency_p50&group_by=metadata.environment&interval=1h&from=2h")
        #expect(
            text.contains(
                #"{"group":{"metadata.environment":"(none)"},"absent":["metadata.environment"],"total":{"requests":1,"latency_p50":900}"#
            ))
        #expect(
            text.contains(
                #""total":{"requests":4,"latency_p50":100},"groups":[{"group":{"metadata.environment":"prod"}"#))
        let (_, other) = try await ask("/metrics/query", "measures=requests&group_by=metadata.other&limit=1&from=2h")
        #expect(other.contains(#""group":{"metadata.other":"(other)"},"is_other":true,"total":{"requests":1}"#))
    }

    @Test func `keys and values are suggested`() async throws {
        try await log.add((0..<3).map { Self.row($0) })
        #expect(try await ask("/logs/metadata").1 == #"{"keys":["environment"]}"#)
        #expect(
            try await ask("/logs/metadata", "key=environment&prefix=s").1
                == #"{"key":"environment","values":["staging"]}"#)
        #expect(try await ask("/logs/metadata", "", project: "q").1 == #"{"keys":[]}"#)
        await #expect(throws: GatewayError.self) { try await ask("/logs/metadata", "kee=x") }
    }

    @Test func `its paths are its own`() {
        for path in ["/logs/requests", "/logs/requests/x", "/logs/metadata", "/metrics/query", "/logs/audit"] {
            #expect(RequestLogResponder.answers(path))
        }
        for path in ["/logs", "/logs/requestsx", "/logs/audit/x", "/metrics", "/metrics/query/x", ""] {
            #expect(!RequestLogResponder.answers(path))
        }
    }
}

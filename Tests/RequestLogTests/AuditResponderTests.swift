import Common
import JSON
import TestSupport
import Testing

@testable import RequestLog

/// Questions about audit rows are answered as docs/requestlog.md says.
struct AuditResponderTests {
    private static let hour: UInt64 = 3_600_000
    private let audits = MemoryAuditLog()

    private static func event(_ number: Int, project: String? = nil) -> AuditEvent {
        AuditEvent(
            id: InsertionID(milliseconds: 1_790_000_000_000 + UInt64(number), counter: 0, randomBits: UInt64(number)),
            kind: number % 2 == 0 ? .rulesReloaded : .keyUsed, actor: "ingress host:7", project: project,
            account: number % 2 == 0 ? nil : "=team", subject: "s\(number)", details: .count(number, example: nil))
    }

    private func ask(_ query: String = "", isOperator: Bool = true) async throws -> (RequestLogResponse, String) {
        let responder = RequestLogResponder(
            store: MemoryRequestLog(), audits: audits, now: { Timestamp(milliseconds: 1_790_000_000_000 + Self.hour) })
        let asker = LogAsker(project: "p", isOperator: isOperator)
        let answer = try await responder.answer("/logs/audit", QueryItems(query), for: asker)
        var bytes: [UInt8] = []
        try await answer.write { bytes += $0 }
        return (answer, String(decoding: bytes, as: UTF8.self))
    }

    @Test func `a row is an object`() async throws {
        try await audits.add([Self.event(0), Self.event(1, project: "p"), Self.event(3, project: "q")])
        let (answer, text) = try await ask()
        #expect(answer.status == 200 && answer.contentType == "application/json")
        #expect(
            text == #"{"data":["#
                + #"{"id":"01a0c450-6c01-7000-8000-000000000001","time":"2026-09-21T14:13:20.001Z","kind":"key.used","#
                + #""actor":"ingress host:7","project_id":"p","account":"=team","user":null,"subject":"s1","details":{"count":1}},"#
                + #"{"id":"01a0c450-6c00-7000-8000-000000000000","time":"2026-09-21T14:13:20.000Z","kind":"rules.reloaded","#
                + #""actor":"ingress host:7","project_id":null,"account":null,"user":null,"subject":"s0","details":{"count":0}}"#
                + #"],"next_cursor":null}"#)
        #expect(try await ask(isOperator: false).1.contains(#""s0""#) == false)
    }

    @Test(arguments: [
        ("kind=rules.reloaded", ["s2", "s0"]), ("kind[in]=rules.reloaded,keys.reloaded", ["s2", "s0"]),
        ("kind[ne]=key.used", ["s2", "s0"]), ("kind[starts_with]=key", ["s3", "s1"]), ("subject=s1", ["s1"]),
        ("actor[contains]=host", ["s3", "s2", "s1", "s0"]), ("actor=host", []), ("account[present]", ["s3", "s1"]),
        ("account[absent]=true", ["s2", "s0"]), ("project=p", ["s3", "s1"]), ("project[absent]", ["s2", "s0"]),
        ("user[absent]&subject[not_in]=s1,s2", ["s3", "s0"]), ("from=2026-09-21T14:13:20.002Z", ["s3", "s2"]),
        ("to=2026-09-21T14:13:20.002Z", ["s1", "s0"]), ("from=1h&limit=2", ["s3", "s2"]),
    ])
    func `filters are those of requests`(query: String, subjects: [String]) async throws {
        try await audits.add((0..<4).map { Self.event($0, project: $0 % 2 == 0 ? nil : "p") })
        let text = try await ask(query).1
        let found = text.matches(of: /"subject":"(s\d)"/).map { String($0.output.1) }
        #expect(found == subjects, "\(text)")
    }

    @Test(arguments: [
        ("kind=rules", "rules.reloaded"), ("kind[like]=x", "kind[eq]"), ("status=200", "is not known here"),
        ("subjekt=x", "Did you mean `subject`?"), ("subject=a&subject=b", "twice"), ("from=soon", "ISO 8601"),
        ("from=1h&to=2h", "later"), ("cursor=x", "next_cursor"), ("format=xml", "json, jsonl or csv"),
        ("format=csv&limit=2", "limit"), ("limit=0", "limit"), ("actor=", "actor[absent]"),
    ])
    func `what is wrong is said`(query: String, said: String) async throws {
        let error = await #expect(throws: GatewayError.self) { try await ask(query) }
        #expect(error?.status == 400 && error?.code == "invalid_query", "\(query)")
        #expect(error?.message.contains(said) == true, "\(error?.message ?? "")")
    }

    @Test func `pages visit each row once`() async throws {
        try await audits.add((0..<25).map { Self.event($0) })
        var (subjects, cursor): ([String], String?) = ([], nil)
        repeat {
            let text = try await ask("limit=10" + (cursor.map { "&cursor=\($0)" } ?? "")).1
            subjects += text.matches(of: /"subject":"(s\d+)"/).map { String($0.output.1) }
            cursor = text.firstMatch(of: /"next_cursor":"([^"]*)"/).map { String($0.output.1) }
        } while cursor != nil
        #expect(subjects == (0..<25).reversed().map { "s\($0)" })
    }

    @Test func `exports have all rows`() async throws {
        try await audits.add((0..<2100).map { Self.event($0) })
        let (lines, text) = try await ask("format=jsonl")
        #expect(lines.contentType == "application/jsonl" && text.split(separator: "\n").count == 2100)
        for line in text.split(separator: "\n").prefix(5) {
            _ = try JSONObject.scan(Array(line.utf8), maximumDepth: 4)
        }
        let (table, csv) = try await ask("format=csv&kind=key.used")
        let records = csv.split(separator: "\r\n")
        #expect(table.contentType == "text/csv; charset=utf-8" && records.count == 1051)
        #expect(records[0] == "id,time,kind,actor,project_id,account,user,subject,details")
        #expect(
            records[1].hasSuffix(#"Z,key.used,ingress host:7,,"'=team",,s2099,"{""count"":2099}""#), "\(records[1])")
    }
}

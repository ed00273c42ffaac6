import Testing

@testable import GatewayCommand

/// What `metadata-gateway logs` shows of a request.
@Suite struct LogTableTests {
    static func row(_ id: String = "01a203ac-966f-708b-8461-f0092eb2af62") -> LogRow {
        LogRow(insertionID: id, time: "2026-11-29T20:00:00.000Z", outcome: "succeeded", status: 200)
    }

    @Test func `a request is a line`() {
        var (good, bad) = (Self.row("a"), Self.row("b"))
        (good.model, good.inputTokens, good.outputTokens, good.latency) = ("openai/gpt-4o-mini", 12, 345, 1234)
        (good.rolloutID, good.metadata) = ("demo", [("customer-id", "customer1"), ("env", "prod")])
        (bad.status, bad.outcome, bad.errorCode, bad.latency) = (429, "refused", "rate_limit_exceeded", 12_345)
        (bad.modelAsked, bad.user, bad.inputTokens) = ("openai/gpt", "alice", 7)
        var table = LogTable()
        let lines = [table.head(above: [good, bad]), table.line(good), table.line(bad)]
        #expect(
            lines == [
                "TIME                      STATUS    LATENCY         TOKENS  MODEL",
                "2026-11-29T20:00:00.000Z  200       1234 ms         12/345  openai/gpt-4o-mini  rollout=demo "
                    + "customer-id=customer1 env=prod a",
                "2026-11-29T20:00:00.000Z  429        12.3 s            7/?  openai/gpt          refused "
                    + "error=rate_limit_exceeded user=alice b",
            ])
    }

    /// One that is far too long moves nothing but itself.
    @Test func `columns stand under each other`() throws {
        var (short, long) = (Self.row(), Self.row())
        (short.model, long.model) = ("m", String(repeating: "m", count: 200))
        var table = LogTable()
        table.makeRoom(for: [short, long])
        let place = table.line(short).utf8.distance(
            from: table.line(short).startIndex,
            to: try #require(table.line(short).firstRange(of: "01a203ac")).lowerBound)
        #expect(place == 24 + 2 + 6 + 2 + 9 + 2 + 13 + 2 + 40 + 2)
    }

    @Test(arguments: [
        ("\u{1B}[2J\u{7}", #"\u{1B}[2J\u{07}"#), ("a\nb", #"a\nb"#), ("a\u{202E}b", #"a\u{202E}b"#),
        ("\u{9B}1m", #"\u{009B}1m"#), ("a\u{2028}b", #"a\u{2028}b"#), ("é 日本", "\"é 日本\""), ("", "\"\""),
        ("a\"b", #""a\"b""#), ("a=b", "\"a=b\""), ("customer1", "customer1"),
    ])
    func `what a terminal would obey is escaped`(text: String, shown: String) {
        var row = Self.row()
        (row.model, row.rolloutID, row.user, row.metadata) = (text, text, text, [(text, text)])
        let line = LogTable().line(row)
        #expect(line.contains("rollout=\(shown) user=\(shown) \(shown)=\(shown) "), "\(line)")
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    }
}

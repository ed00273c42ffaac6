import Testing

@testable import GatewayCommand

/// How `logs` reads what the gateway answers, and asks for it.
@Suite struct LogPageTests {
    private static let least = #"{"insertion_id":"a","time":"t","outcome":"failed","status":502}"#

    @Test func `a page is read`() throws {
        let row =
            #"{"insertion_id":"a","time":"t","outcome":"failed","status":502,"error_code":"x","rollout_id":null,"#
            + #""metadata":{"é":"1","e\#u{301}":"2"},"model":null,"model_asked":"m","input_tokens":3,"latency_ms":12.0,"#
            + #""later":[{}]}"#
        let page = try #require(
            LogPage<LogRow>(Array(#"{"data": [\#(row), \#(Self.least)], "next_cursor": "p1"}"#.utf8)))
        #expect(page.nextCursor == "p1" && page.rows.map(\.json) == [row, Self.least])
        let first = try #require(page.rows.first)
        #expect(first.status == 502 && first.errorCode == "x" && first.rolloutID == nil && first.modelAsked == "m")
        #expect(first.inputTokens == 3 && first.outputTokens == nil && first.latency == 12)
        #expect(first.metadata.map(\.value) == ["1", "2"], "keys that look alike are two")
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"data":{}}"#, #"{"data":[1]}"#, #"{"data":[{}]}"#, #"{"data":[{"insertion_id":"a"}]}"#,
        "<html></html>",
    ])
    func `what is no page is none`(text: String) {
        #expect(LogPage<LogRow>(Array(text.utf8)) == nil)
    }

    @Test func `the last page has no cursor`() throws {
        #expect(try #require(LogPage<LogRow>(Array(#"{"data":[],"next_cursor":null}"#.utf8))).nextCursor == nil)
    }

    @Test func `filters stand in the query`() {
        var query = LogsQuery()
        let isAdded = query.add(metadata: "customer-id=a=b&c") && query.add(metadata: "env[in]=prod,dev")
        #expect(isAdded && query.add(condition: "latency[gte]=1000"))
        query.add("status", "5xx")
        #expect(
            query.text
                == "metadata.customer-id=a%3Db%26c&metadata.env%5Bin%5D=prod%2Cdev&latency%5Bgte%5D=1000&status=5xx")
    }

    @Test func `a key's presence needs no value`() {
        var query = LogsQuery()
        let isAdded = query.add(metadata: "customer-id[present]") && query.add(condition: "error_code[absent]")
        #expect(isAdded && query.text == "metadata.customer-id%5Bpresent%5D=&error_code%5Babsent%5D=")
    }

    @Test(arguments: ["customer1", "=x", "", "customer-id[in]", "[present]"]) func `what is no filter is refused`(
        text: String
    ) {
        var query = LogsQuery()
        let isAdded = query.add(metadata: text)
        #expect(!isAdded && query == LogsQuery())
    }
}

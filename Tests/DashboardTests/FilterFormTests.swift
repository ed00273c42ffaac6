import Common
import TestSupport
import Testing

@testable import Dashboard

struct FilterFormTests {
    private func form(_ query: String) throws -> FilterForm { FilterForm(try QueryItems(query), others: ["cursor"]) }

    @Test(arguments: [
        "", "metadata.customer-id=acme", "metadata.customer-id[in]=a,b&status=5xx&from=24h",
        "from=2026-11-22T19:00:00.000Z&to=2026-11-22T20:00:00.000Z", "user[absent]", "latency[gte]=1000",
        "metadata.a%20b=%26%3D%3C%22",
    ])
    func `a query is its own form`(query: String) throws {
        let form = try form(query)
        #expect(!form.isSubmitted)
        #expect(try self.form(form.query) == form)
        let (left, right) = (try QueryItems(form.query).items, try QueryItems(query).items)
        for item in right { #expect(left.contains { $0.name == item.name && $0.value == item.value }) }
        #expect(left.count == right.count)
    }

    /// What a form sends: hidden fields of the chips, then the empty ones.
    @Test func `a form's fields become the apis query`() throws {
        let form = try form(
            "name=status&operator=eq&value=5xx&name=customer-id&operator=in&value=a,b&name=&operator=eq&value=&range=7d"
        )
        #expect(form.isSubmitted)
        #expect(form.query == "status=5xx&metadata.customer-id[in]=a,b&from=7d")
    }

    @Test func `a form takes no filter twice`() throws {
        let form = try form("name=user&operator=eq&value=a&name=user&operator=eq&value=a&range=")
        #expect(form.query == "user=a")
    }

    /// A form's field would change line ends, and HTML has no control characters.
    @Test(arguments: ["a\nb", "a\r\nb", "\u{1}", "é", "e\u{301}", "a&b=c", "%41", "+ ", ""])
    func `a filter comes back from a form byte by byte`(value: String) throws {
        for term in [
            FilterTerm("metadata.\(value)k]", operation: "contains", value: value),
            FilterTerm("user", operation: "absent", value: ""),
        ] {
            let set = FilterForm().adding(term)
            let view = FilterView(
                set, path: "/x", links: Links(project: "p"), keys: [], usual: nil, error: nil)
            let field = try #require(view.chips.first).chipQuery
            #expect(field.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            let sent = try form(FilterForm.query([("filter", field), ("name", ""), ("operator", "eq"), ("value", "")]))
            #expect(sent.isSubmitted && sent.query.utf8.elementsEqual(set.query.utf8))
        }
    }

    @Test(arguments: ["", "a=b&c=d", "%FF"]) func `what is no filter is left to the log`(text: String) throws {
        #expect(try form(FilterForm.query([("filter", text)])).terms == [FilterTerm("filter", value: text)])
    }

    @Test(arguments: [
        ("", "outcome[in]=failed,refused,dead_lettered"),
        ("outcome=failed", "outcome=failed&outcome[in]=failed,refused,dead_lettered"),
        ("outcome[in]=succeeded,failed", "outcome[in]=failed"), ("outcome[in]=succeeded", "outcome[in]=succeeded"),
    ])
    func `errors are those of the filters`(query: String, failed: String) throws {
        #expect(try form(query).failed.query == failed)
    }

    /// A range of the URL's own stays until another one is chosen.
    @Test func `a range of its own is kept`() throws {
        let own = "from=2026-11-22T19:00:00.000Z&to=2026-11-22T20:00:00.000Z"
        #expect(try form("\(own)&range=custom").query == own)
        #expect(try form("\(own)&range=1h").query == "from=1h")
        #expect(try form("\(own)&range=").query == "")
    }

    /// Texts with brackets, of which one could be taken for an operator.
    @Test(arguments: ["metadata.a]", "metadata.a[b]", "metadata.[eq]", "metadata.a[in]"])
    func `a key may hold brackets`(
        name: String
    ) throws {
        let term = FilterTerm(name, value: "x")
        #expect(FilterTerm(parameter: term.parameter, value: "x") == term)
        let query = FilterForm().adding(term).query
        #expect(try form(query).terms == [term])
    }

    @Test func `a filter is taken away`() throws {
        let form = try form("status=5xx&user=ada&from=1h")
        #expect(form.removing(at: 0).query == "user=ada&from=1h")
        #expect(form.adding(FilterTerm("user", value: "bob")).query == "status=5xx&user=bob&from=1h")
    }

    @Test func `what needs no value has none`() throws {
        #expect(try form("name=user&operator=present&value=x&range=").query == "user[present]")
    }

    @Test func `a point of a chart is a range`() {
        let query = FilterForm().during(1_700_000_000_000, 1_700_000_060_000).query
        #expect(query == "from=2023-11-14T22:13:20.000Z&to=2023-11-14T22:14:20.000Z")
    }
}

struct TimeRangeTests {
    @Test(arguments: TimeRange.presets.map(\.milliseconds) + [1, 60_000, 123_456_789, 31_536_000_000])
    func `a chart has few points`(length: UInt64) throws {
        let interval = TimeRange.interval(for: length)
        let unit: UInt64 =
            ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000][interval.last.map(String.init) ?? ""] ?? 0
        let step = try #require(UInt64(interval.dropLast())) * unit
        #expect(length / step <= TimeRange.mostPoints)
    }

    @Test func `the length is told`() {
        #expect(TimeRange(from: "24h").length(now: 1_790_000_000_000) == 86_400_000)
        #expect(TimeRange(from: "90d").length(now: 1_790_000_000_000) == 90 * 86_400_000)
        #expect(TimeRange(from: "45m").length(now: 1_790_000_000_000) == 45 * 60_000)
        #expect(TimeRange(from: "90s", to: "30s").length(now: 1_790_000_000_000) == 60_000)
        #expect(TimeRange(from: "1970-01-01T00:00:10Z").length(now: 15_000) == 5000)
        #expect(TimeRange(from: "1970-01-01T00:00:10Z", to: "1970-01-01T00:00:30Z").length(now: 0) == 20_000)
        #expect(TimeRange(from: "1970-01-01T00:00:10Z", to: "1970-01-01T00:00:05Z").length(now: 0) == nil)
        #expect(TimeRange(from: "nonsense").length(now: 0) == nil)
        #expect(TimeRange().length(now: 0) == nil)
    }

    /// Charts begin somewhere, and what they link to begins there too.
    @Test func `charts have a beginning`() {
        #expect(TimeRange().charted(now: 0) == TimeRange(from: "24h"))
        #expect(TimeRange(from: "90d").charted(now: 0) == TimeRange(from: "90d"))
        #expect(
            TimeRange(to: "2026-11-22T19:00:00.000Z").charted(now: 0)
                == TimeRange(from: "2026-11-21T19:00:00.000Z", to: "2026-11-22T19:00:00.000Z"))
        #expect(TimeRange(to: "nonsense").charted(now: 0) == TimeRange(to: "nonsense"))
    }
}

import Common
import JSON
import RequestLog
import TestSupport
import Testing

@testable import RequestLog

/// Queries are read as written, and what is wrong with one is said with its parameter and its repair.
struct FilterParserTests {
    private static let now: Timestamp = 1_790_000_000_000

    private static func filter(_ query: String) throws -> RequestFilter {
        try PageQuery(QueryItems(query), FilterParser(now: now)).filter
    }

    @Test(
        arguments: [
            ("metadata.environment=prod", .metadata("environment"), .anyOf(["prod"])),
            ("metadata.environment[in]=prod,staging", .metadata("environment"), .anyOf(["prod", "staging"])),
            ("metadata.environment[ne]=prod", .metadata("environment"), .noneOf(["prod"])),
            ("metadata.environment[not_in]=a,b", .metadata("environment"), .noneOf(["a", "b"])),
            ("metadata.a%20b[contains]=x%2Cy", .metadata("a b"), .contains("x,y")),
            ("metadata.k[x][starts_with]=", .metadata("k[x]"), .startsWith("")),
            ("metadata.k=", .metadata("k"), .anyOf([""])),
            ("metadata.e%CC%81=1", .metadata("e\u{301}"), .anyOf(["1"])),
            ("user[present]", .known(.user), .present), ("user[present]=false", .known(.user), .absent),
            ("user[absent]=true", .known(.user), .absent), ("rollout=r", .known(.rollout), .anyOf(["r"])),
            ("rollout_id=r", .known(.rollout), .anyOf(["r"])),
            ("row_id[starts_with]=7", .known(.row), .startsWith("7")),
            ("team[in]=a", .known(.team), .anyOf(["a"])),
            ("outcome=dead_lettered", .known(.outcome), .anyOf(["dead_lettered"])),
        ] as [(String, RequestField, RequestFilter.Test)])
    func `a condition is read`(query: String, field: RequestField, test: RequestFilter.Test) throws {
        #expect(try Self.filter(query).conditions == [.init(field, test)])
    }

    @Test func `statuses bounds and times are read`() throws {
        let filter = try Self.filter(
            "status[in]=5xx,404&latency[gte]=1500&cost[lt]=0.25&from=24h&to=2026-09-21T13:33:20Z")
        #expect(filter.statuses == [.init([500...599, 404...404])])
        #expect(filter.bounds == [.init(.latency, .atLeast, value: 1500), .init(.cost, .below, value: 0.25)])
        #expect(filter.from == Self.now - 86_400_000)
        #expect(filter.to == 1_789_997_600_000)
        #expect(try Self.filter("status[ne]=2XX").statuses == [.init([200...299], isNegated: true)])
    }

    @Test(arguments: [
        ("metadata.k[eqals]=v", "metadata.k[eqals]", "`metadata.k[starts_with]`"),
        ("modle=gpt", "modle", "Did you mean `model`?"), ("xyzzy=1", "xyzzy", "metadata.KEY"),
        ("model=", "model", "`model[absent]`"), ("model=a&model=b", "model", "`[in]`"),
        ("metadata.k[in]=", "metadata.k[in]", "1 to 100 values"), ("latency=5", "latency", "`latency[gte]`"),
        ("latency[gte]=fast", "latency[gte]", "milliseconds"), ("latency[gte]=-1", "latency[gte]", "not negative"),
        ("latency[gte]=inf", "latency[gte]", "number"), ("status=7xx", "status", "5xx"),
        ("status=0404", "status", "404"),
        ("status[contains]=4", "status[contains]", "`status[in]`"), ("from=yesterday", "from", "24h"),
        ("from=99999999999999999999d", "from", "24h"), ("from=1h&to=2h", "to", "later than `from`"),
        ("outcome=done", "outcome", "`dead_lettered`"), ("user[present]=maybe", "user[present]", "true or false"),
        ("latency[gte]=0x10", "latency[gte]", "not negative"), ("latency[gte]=1e3", "latency[gte]", "not negative"),
        ("limit=1&limit=2", "limit", "Give it once"), ("from=1h&from=2h", "from", "Give it once"),
        ("limit=0", "limit", "from 1 to 1000"), ("limit=1001", "limit", "from 1 to 1000"),
        ("cursor=abc", "cursor", "`next_cursor`"),
        ("format=xml", "format", "jsonl"), ("format=csv&limit=5", "limit", "export"),
    ])
    func `a fault is said with its repair`(query: String, parameter: String, repair: String) throws {
        let error = try #require(throws: GatewayError.self) { try Self.filter(query) }
        #expect(error.status == 400 && error.code == "invalid_query")
        #expect(error.param == parameter)
        #expect(error.message.contains("`\(parameter)`") && error.message.contains(repair), "\(error.message)")
    }

    @Test func `filters are bounded`() throws {
        func query(_ count: Int) -> String { (0..<count).map { "metadata.k\($0)=v" }.joined(separator: "&") }
        #expect(try Self.filter(query(FilterLimits.filters)).conditions.count == FilterLimits.filters)
        #expect(throws: GatewayError.self) { try Self.filter(query(FilterLimits.filters + 1)) }
        let values = Array(repeating: "v", count: FilterLimits.values + 1).joined(separator: ",")
        #expect(throws: GatewayError.self) { try Self.filter("model[in]=\(values)") }
        #expect(try Self.filter("model[in]=\(values.dropFirst(2))").conditions.count == 1)
    }

    @Test func `a cursor is read as it was written`() {
        for place: UInt64 in [0, 1, 1 << 60, .max] {
            #expect(PageCursor(PageCursor(place: place).text)?.place == place)
        }
        for (place, rest): (UInt64, UInt64) in [(0, 0), (1, .max), (.max, 1 << 63)] {
            #expect(PageCursor(PageCursor(place: place, rest: rest).text) == PageCursor(place: place, rest: rest))
        }
        for text in [
            "", "p1", "p1" + String(repeating: "0", count: 31), "p1" + String(repeating: "0", count: 31) + "x",
            "p10000000000000000x",
            "p2" + String(repeating: "0", count: 16), "p1+000000000000000",
        ] {
            #expect(PageCursor(text) == nil, "\(text)")
        }
    }

    @Test func `filters compare bytes`() {
        var row = RequestRow(
            id: InsertionID(milliseconds: 1, counter: 0, randomBits: 0), project: "p", outcome: .succeeded, status: 200)
        row.metadata = [.init("é", "é", from: .header)]
        var filter = RequestFilter()
        filter.conditions = [.init(.metadata("é"), .anyOf(["é"]))]
        #expect(filter.holds(row))
        filter.conditions = [.init(.metadata("é"), .anyOf(["e\u{301}"]))]
        #expect(!filter.holds(row))
        filter.conditions = [.init(.metadata("e\u{301}"), .anyOf(["é"]))]
        #expect(!filter.holds(row))
        filter.conditions = [.init(.metadata("é"), .contains("e"))]
        #expect(!filter.holds(row))
    }
}

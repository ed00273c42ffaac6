import Common
import TestSupport
import Testing

@testable import RequestLog

/// Questions of `/metrics/query` are read as written, and percentiles are values that rows have.
struct MetricsParserTests {
    private static let now: Timestamp = 1_790_000_000_000

    private static func query(_ text: String) throws -> MetricsQuery { try MetricsQuery(QueryItems(text), now: now) }

    @Test func `everything is read`() throws {
        let query = try Self.query(
            "measures=requests,latency_p99,latency_p99&group_by=metadata.environment,run_id,run,project&interval=1h&limit=7"
                + "&from=2d&user=u")
        #expect(query.measures == [.count(.requests), .percentile(.p99, of: .latency)])
        #expect(query.groups == [.field(.metadata("environment")), .field(.known(.run)), .project])
        #expect(query.interval == 3_600_000 && query.groupLimit == 7)
        #expect(query.filter.from == Self.now - 2 * 86_400_000 && query.filter.to == Self.now + 1)
        #expect(query.filter.conditions == [.init(.known(.user), .anyOf(["u"]))])
    }

    @Test func `without more it is about the last day`() throws {
        let query = try Self.query("")
        #expect(query.filter.from == Self.now + 1 - 86_400_000 && query.interval == nil && query.groups.isEmpty)
        #expect(query.measures.contains(.percentile(.p50, of: .latency)))
    }

    @Test(arguments: [
        ("measures=latency_p95", "measures", "`latency_p90`"), ("measures=,", "measures", "1 to 24"),
        ("group_by=modle", "group_by", "Did you mean `model`?"), ("group_by=a,b", "group_by", "`metadata.KEY`"),
        ("group_by=model,user,team,run", "group_by", "1 to 3"), ("interval=0m", "interval", "5m"),
        ("interval=1", "interval", "5m"),
        ("interval=1s", "interval", "1500 points"), ("limit=0", "limit", "from 1 to 1000"),
        ("cursor=x", "cursor", "not known here"),
        ("from=2100-01-01", "from", "earlier than `to`"),
    ])
    func `a fault is said with its repair`(query: String, parameter: String, repair: String) throws {
        let error = try #require(throws: GatewayError.self) { try Self.query(query) }
        #expect(error.status == 400 && error.param == parameter)
        #expect(error.message.contains(repair), "\(error.message)")
    }

    /// A metadata key may hold commas; what names nothing on its own belongs to the key before it.
    @Test(arguments: [
        ("group_by=metadata.a,b", ["metadata.a,b"]),
        ("group_by=metadata.a,b,model,metadata.c,", ["metadata.a,b", "model", "metadata.c,"]),
        ("group_by=model&group_by=metadata.a,b&group_by=", ["model", "metadata.a,b"]),
        ("group_by=metadata.a,,b", ["metadata.a,,b"]), ("group_by=,model,,user", ["model", "user"]),
        ("group_by=model&group_by=model", ["model"]),
    ])
    func `groups are read`(query: String, names: [String]) throws {
        #expect(try Self.query(query).groups == names.map { .field(try #require(RequestField(named: $0))) })
    }

    @Test func `percentiles are of the nearest rank`() {
        #expect(MetricsMeasure.Percentile.allCases.map { $0.rank(among: 100) } == [49, 74, 89, 98])
        #expect(MetricsMeasure.Percentile.allCases.map { $0.rank(among: 3) } == [1, 2, 2, 2])
        #expect(MetricsMeasure.Percentile.allCases.map { $0.rank(among: 1) } == [0, 0, 0, 0])
    }

    @Test(arguments: [1, 2, 31, 32, 33, 100, 5000])
    func `values of certain ranks are found`(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        for different in [1, 3, 50, 1_000_000] {
            var values = (0..<count).map { _ in Double(random.below(different)) }
            let sorted = values.sorted()
            let ranks = MetricsMeasure.Percentile.allCases.map { $0.rank(among: count) }
            Selection.place(ranks[...], in: &values)
            #expect(ranks.map { values[$0] } == ranks.map { sorted[$0] })
            // In order already, and the other way round.
            for (values, ranks) in [(sorted, [count / 2]), (sorted.reversed(), [0, count - 1])] {
                var values = values
                Selection.place(ranks[...], in: &values)
                #expect(ranks.map { values[$0] } == ranks.map { sorted[$0] })
            }
        }
    }

    @Test func `every measure has its name`() {
        #expect(MetricsMeasure.all.allSatisfy { MetricsMeasure.named($0.name) == $0 })
        #expect(Set(MetricsMeasure.all.map { UTF8Text($0.name) }).count == 22)
    }
}

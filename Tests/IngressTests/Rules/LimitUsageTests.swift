import Policies
import TestSupport
import Testing

@testable import Common
@testable import Ingress

/// Which counters of rate limits a person is shown.
struct LimitUsageTests {
    private static let rules = """
        type: gateway-rate-limiting-config
        rules:
          - {id: customers, limit_to: 100, unit: requests_per_hour, rate_limit_applies_per: [metadata.customer]}
          - {id: all, limit_to: 10, unit: requests_per_hour}
          - id: vouched
            when: {metadata: {customer: c7}, metadata_from: key}
            limit_to: 5
            unit: requests_per_hour
            rate_limit_applies_per: [metadata.customer]
        """

    private static func facts(_ number: Int) -> RequestFacts {
        RequestFacts(account: "a", customer: "c\(number)")
    }

    @Test func `of a rule the fullest are shown`() throws {
        let policies = try PolicyFixture.read(Self.rules)
        let counters = policies.counters(of: (0..<30).map(Self.facts), view: .full)
        #expect(counters.map(\.limit.rule.id) == ["all"] + [String](repeating: "customers", count: 30))
        let used = [3] + Array(0..<30)
        let usage = LimitUsage(
            zip(counters, used).map { LimitUsage.Counter(counter: $0, usage: RateUsage(used: $1, reset: 0)) },
            leftOut: 2)
        #expect(usage.counters.map(\.usage.used) == [3] + (10..<30).reversed(), "3 of 10 is fuller than 29 of 100")
        #expect(usage.leftOut == 2 + 9, "one holds nothing")
        #expect(usage.counters[1].counter.parts.map { "\($0.name)=\($0.value ?? "")" } == ["metadata.customer=c29"])
    }

    /// A client is told of what is its own: a claimed value is not, and a limit that no request of its project met
    /// neither.
    @Test func `a client is told of its own`() throws {
        let policies = try PolicyFixture.read(Self.rules)
        #expect(policies.counters(of: [], view: .own).isEmpty)
        let counters = policies.counters(of: [Self.facts(1), Self.facts(1), Self.facts(2)], view: .own)
        #expect(counters.map(\.limit.rule.id) == ["customers", "all", "customers"])
        #expect(counters.map(\.mayShowUsage) == [false, true, false])
    }

    /// The log does not say that a client's key vouches for a value; the operator is shown such a counter too.
    @Test func `what a key vouches for is found`() throws {
        let policies = try PolicyFixture.read(Self.rules)
        let facts = Self.facts(7)
        #expect(!policies.counters(of: [facts], view: .full).contains { $0.limit.rule.id == "vouched" })
        #expect(policies.counters(of: [facts.vouchedFor], view: .full).contains { $0.limit.rule.id == "vouched" })
    }

    @Test func `rows of the log are facts`() throws {
        let page = """
            {"data":[{"account":"a","user":"u","teams":["t"],"model_asked":"m","metadata":{"k":"v","n":1},\
            "rollout_id":"r","invocation_id":"i","experiment_id":"e","run_id":"n","row_id":"7"},{},1],"next_cursor":null}
            """
        let facts = RequestFacts.requests(in: Array(page.utf8))
        #expect(facts.count == 2 && facts[1].caller.account == nil && facts[1].rollout == nil)
        #expect(facts[0].caller.user == "u" && facts[0].caller.teams == ["t"] && facts[0].model == "m")
        #expect(facts[0].metadata.entries == [.init("k", "v", from: .header)])
        #expect(facts[0]["run_id"]?.value == "n" && facts[0]["run_id"]?.origin == .path)
        for text in ["", "[]", "{}", #"{"data":3}"#] {
            #expect(RequestFacts.requests(in: Array(text.utf8)).isEmpty)
        }
    }
}

extension RequestFacts {
    fileprivate init(account: String, customer: String) {
        self.init(
            caller: Caller(account: account), model: "m",
            metadata: PolicyFixture.metadata(["customer": customer], from: .header))
    }
}

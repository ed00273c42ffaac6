package import Common

/// One rule of a `gateway-rate-limiting-config`. A class, since each request that meets it holds it.
package final class RateLimitRule: PolicyRule {
    /// The sliding window in which a limit counts.
    package enum Window: String, CaseIterable, Sendable {
        case minute
        case hour
        case day

        package var milliseconds: Int {
            switch self {
            case .minute: 60_000
            case .hour: 3_600_000
            case .day: 86_400_000
            }
        }
    }

    /// A property for whose values counters are kept apart.
    enum Dimension: Sendable, Equatable {
        case user
        case account
        case model
        case metadata(UTF8Text)
    }

    package var id: String { name.text }
    let name: RuleName
    let when: RuleCondition
    package let limit: Int
    package let unit: RateCharge.Unit
    package let window: Window
    /// One counter for each combination; one for all that match if there are none.
    let appliesPer: [Dimension]
    /// Tokens that an answer is taken to have whose request does not bound it.
    let defaultOutput: Int
    /// Whether a request beyond the limit is refused. If not, it is counted and logged.
    package let isEnforced: Bool

    /// Tells the rule's counters from those of others.
    fileprivate let counter: [UInt8]

    init(
        name: RuleName, when: RuleCondition, limit: Int, unit: RateCharge.Unit, window: Window, appliesPer: [Dimension],
        defaultOutput: Int, isEnforced: Bool
    ) {
        self.name = name
        self.when = when
        self.limit = limit
        self.unit = unit
        self.window = window
        self.appliesPer = appliesPer
        self.defaultOutput = defaultOutput
        self.isEnforced = isEnforced
        counter = [name.text, unit.rawValue, window.rawValue].reduce(into: []) { Self.append($1, to: &$0) }
    }

    /// Appends a part to a counter's name, with its length, so that no two lists of parts make one name.
    fileprivate static func append(_ part: String, to name: inout [UInt8]) {
        name += String(part.utf8.count).utf8
        name.append(UInt8(ascii: ":"))
        name += part.utf8
    }
}

/// A limit that a request meets.
package struct RateLimit: Sendable {
    package let rule: RateLimitRule
    /// Tells its counter from all others: the rule, the window, and the values that it is kept apart for.
    package let counter: [UInt8]

    init(_ rule: RateLimitRule, for facts: RequestFacts) {
        self.rule = rule
        guard !rule.appliesPer.isEmpty else {
            counter = rule.counter
            return
        }
        var counter: [UInt8] = []
        counter.reserveCapacity(rule.counter.count + 64 * rule.appliesPer.count)
        counter += rule.counter
        for part in rule.appliesPer {
            // Requests without the value share a counter.
            let value = part.value(in: facts)
            RateLimitRule.append(value == nil ? "none" : "is", to: &counter)
            RateLimitRule.append(value ?? "", to: &counter)
        }
        self.counter = counter
    }

    /// The amount that a request counts on it.
    /// - Parameter estimate: is asked for where tokens are counted.
    /// - Returns: nil if the request is larger than the limit, so that it could never be let in.
    package func amount(_ estimate: () -> TokenEstimate) -> Int? {
        guard rule.unit != .requests else { return 1 }
        return estimate().amount(of: rule.unit, limit: rule.limit, defaultOutput: rule.defaultOutput)
    }

    /// The rule's id with its placeholders filled in, as answers name it.
    package func name(for facts: RequestFacts) -> String { rule.name.filled(for: facts) }
}

extension RateLimitRule.Dimension {
    /// - Returns: nil for what no counter is kept apart for.
    init?(_ text: String) {
        let metadata = "metadata."
        switch UTF8Text(text) {
        case "user": self = .user
        case "account", "virtualaccount", "virtual-account", "serviceaccount": self = .account
        case "model": self = .model
        case _ where text.hasPrefix(metadata) && text.utf8.count > metadata.utf8.count:
            self = .metadata(UTF8Text(Substring(text.utf8.dropFirst(metadata.utf8.count))))
        default: return nil
        }
    }

    func value(in facts: RequestFacts) -> String? {
        switch self {
        case .user: facts.caller.user
        case .account: facts.caller.account
        case .model: facts.model
        case .metadata(let key): facts[key.text]?.value
        }
    }
}

internal import Common
internal import JSON
internal import Policies

/// The present usage of rate limits: their counters that are in use, for a person.
struct LimitUsage: Sendable {
    /// The most counters that are read. Redis answers nothing else meanwhile.
    static let mostRead = 500
    /// Counters of one rule that are shown, the fullest ones, and of all rules together.
    static let mostOfRule = 20
    static let mostShown = 200

    struct Counter: Sendable {
        var counter: RateCounter
        var usage: RateUsage

        /// The part of its limit that it holds.
        fileprivate var share: Double { Double(usage.used) / Double(max(counter.limit.rule.limit, 1)) }
    }

    /// The fullest first.
    private(set) var counters: [Counter] = []
    /// Counters in use that are not among them.
    private(set) var leftOut = 0
    /// Counters that are not for this reader: each belongs to a value that any client may claim.
    var hidden = 0
    /// The reason why nothing is known of counters; nil: they are known.
    var unknown: String?

    init() {}

    /// - Parameter counters: with what each holds. One that holds nothing is shown where its rule has no other.
    init(_ counters: [Counter], leftOut: Int) {
        self.leftOut = leftOut
        var ofRule: [ObjectIdentifier: Int] = [:]
        for counter in counters.sorted(by: { $0.share > $1.share }) {
            let rule = counter.counter.limit.rule
            let count = ofRule[ObjectIdentifier(rule), default: 0]
            if count > 0, counter.usage.used == 0 { continue }
            guard count < Self.mostOfRule, self.counters.count < Self.mostShown else {
                self.leftOut += 1
                continue
            }
            ofRule[ObjectIdentifier(rule)] = count + 1
            self.counters.append(counter)
        }
    }

    /// `{"counters":[…],"requests","left_out","hidden","unknown"}`.
    /// - Parameter requests: how many requests said which counters are in use.
    func json(requests: Int, note: String?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("counters") { $0.array(counters) { $1.write(to: &$0) } }
            writer.member("requests", requests)
            writer.member("left_out", leftOut)
            writer.member("hidden", hidden)
            writer.member("unknown", unknown ?? note)
        }
        return writer.bytes
    }
}

extension LimitUsage.Counter {
    fileprivate func write(to writer: inout JSONWriter) {
        let rule = counter.limit.rule
        writer.object { writer in
            writer.member("rule", rule.id)
            writer.member("name", counter.name)
            writer.member("limit", rule.limit)
            writer.member("unit", "\(rule.unit.rawValue)_per_\(rule.window.rawValue)")
            writer.member("mode", rule.isEnforced ? "enforce" : "audit")
            writer.member("used", usage.used)
            writer.member("reset_ms", usage.reset)
            writer.member("parts") { writer in
                writer.array(counter.parts) { writer, part in
                    writer.object { writer in
                        writer.member("name", part.name)
                        writer.member("value", part.value)
                    }
                }
            }
        }
    }
}

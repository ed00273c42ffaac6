internal import Common

/// Finds the rules that a request can meet without looking at all of them. Each rule stands in one place: under a
/// metadata value that it demands, else under its models, else among those that every request may meet.
struct RuleIndex: Sendable {
    private var byValue: [UTF8Text: [UTF8Text: [Int]]] = [:]
    private var byModel: [UTF8Text: [Int]] = [:]
    private var others: [Int] = []

    /// - Parameter conditions: of the rules in their order.
    init(_ conditions: [RuleCondition]) {
        for (place, condition) in conditions.enumerated() {
            if let (key, values) = condition.metadata.lazy.compactMap(Self.values).first {
                for value in values { byValue[key, default: [:]][value, default: []].append(place) }
            } else if !condition.models.included.isEmpty {
                for model in condition.models.included { byModel[model, default: []].append(place) }
            } else {
                others.append(place)
            }
        }
    }

    /// The places of the rules whose condition may hold, in their order.
    func candidates(for facts: RequestFacts) -> [Int] {
        var found = others
        if let model = facts.model, let places = byModel[model] { found += places }
        for (key, values) in byValue {
            if let value = facts[key.text]?.value, let places = values[value] { found += places }
        }
        if found.count > others.count { found.sort() }
        return found
    }

    private static func values(of demand: RuleCondition.Demand) -> (UTF8Text, Set<UTF8Text>)? {
        switch demand.test {
        case .equals(let value): (demand.key, [value])
        case .isIn(let values): (demand.key, values)
        case .notIn, .regex, .present, .number: nil
        }
    }
}

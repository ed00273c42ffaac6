package import Common

/// A part of a rule's `when` that a request does not meet.
package struct UnmetPart: Sendable, Equatable {
    /// `subjects`, `models`, or `metadata.` and the key.
    package let part: String
    /// The rule's demand in words; nil where it is not for the reader.
    package private(set) var wants: String?
    /// The request's own; nil: it has none.
    package let found: String?
    /// The source of the request's own value of metadata.
    package let origin: ResolvedMetadata.Origin?

    /// - Parameter facts: those that the part does not hold for.
    init(_ part: RuleCondition.Part, of condition: RuleCondition, _ facts: RequestFacts) {
        switch part {
        case .subjects:
            self.part = "subjects"
            wants = condition.subjects.words(\.text)
            found = facts.caller.text
            origin = nil
        case .models:
            self.part = "models"
            wants = condition.models.words(\.text)
            found = facts.model
            origin = nil
        case .metadata(let demand):
            let entry = facts[demand.key.text]
            self.part = "metadata.\(demand.key)"
            wants = demand.test.words + (condition.origin.map { ", set by the \($0.name)" } ?? "")
            found = entry?.value
            origin = entry?.origin
        }
    }

    /// The same without the rule's demand.
    var withoutDemand: Self {
        var part = self
        part.wants = nil
        return part
    }
}

extension RuleCondition {
    /// The parts that do not hold; empty if all do.
    func unmetParts(_ facts: RequestFacts) -> [UnmetPart] {
        unmet(by: facts).map { UnmetPart($0, of: self, facts) }
    }

    /// Whether it is for other clients alone: it names none that the caller is, or asks for values that a client
    /// cannot claim and that the caller has not.
    func isForOthers(_ facts: RequestFacts) -> Bool {
        unmet(by: facts).contains { part in
            switch part {
            case .subjects: true
            case .models: false
            case .metadata: origin != nil
            }
        }
    }
}

extension RuleCondition.Choice {
    fileprivate func words(_ text: (Element) -> String) -> String {
        func list(_ elements: Set<Element>) -> String { MetadataViolation.list(elements.map(text).sorted()) }
        let parts = [
            included.isEmpty ? nil : "one of \(list(included))", excluded.isEmpty ? nil : "none of \(list(excluded))",
        ]
        return parts.compactMap(\.self).joined(separator: ", and ")
    }
}

extension MetadataTest {
    fileprivate var words: String {
        func list(_ values: Set<UTF8Text>) -> String { MetadataViolation.list(values.map(\.text).sorted()) }
        return switch self {
        case .equals(let value): "`\(value)`"
        case .isIn(let values): "one of \(list(values))"
        case .notIn(let values): "none of \(list(values))"
        case .regex(let pattern): "a match of `\(pattern.text)`"
        case .present(let isPresent): isPresent ? "any value" : "no value"
        case .number(let comparison, let bound): "\(comparison.rawValue) \(bound)"
        }
    }
}

extension Subject {
    /// As rules name it.
    fileprivate var text: String {
        switch self {
        case .everyone: "*"
        case .user(let name): "user:\(name)"
        case .team(let name): "team:\(name)"
        case .account(let name): "account:\(name)"
        }
    }
}

extension Caller {
    /// As subjects name it; nil for one that is not known.
    fileprivate var text: String? {
        let names = [account.map { "account:\($0)" }, user.map { "user:\($0)" }] + teams.map { "team:\($0)" }
        return names.allSatisfy { $0 == nil } ? nil : names.compactMap(\.self).joined(separator: ", ")
    }
}

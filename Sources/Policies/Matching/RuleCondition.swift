internal import Common

/// A rule's `when`. All of its parts must hold. What it does not name holds always.
struct RuleCondition: Sendable, Equatable {
    /// One of `included`, and none of `excluded`. Without `included` anything else will do.
    struct Choice<Element: Hashable & Sendable>: Sendable, Equatable {
        var included: Set<Element> = []
        var excluded: Set<Element> = []

        func holds(where isMet: (Element) -> Bool) -> Bool {
            (included.isEmpty || included.contains(where: isMet)) && !excluded.contains(where: isMet)
        }

        /// Whether it holds wherever the other does.
        func covers(_ other: Self) -> Bool {
            (included.isEmpty || (!other.included.isEmpty && included.isSuperset(of: other.included)))
                && excluded.isSubset(of: other.excluded)
        }
    }

    struct Demand: Sendable, Equatable {
        var key: UTF8Text
        var test: MetadataTest
    }

    var subjects = Choice<Subject>()
    var models = Choice<UTF8Text>()
    var metadata: [Demand] = []
    /// Who must have set the values that `metadata` names; nil: anyone, also a client.
    var origin: ResolvedMetadata.Origin?

    func holds(for facts: RequestFacts) -> Bool {
        guard subjects.holds(where: { $0.includes(facts.caller) }) else { return false }
        let model = facts.model.map { UTF8Text($0) }
        guard models.holds(where: { $0 == model }) else { return false }
        return metadata.allSatisfy { demand in
            let entry = facts[demand.key.text]
            // What another has set counts as not set.
            let isTrusted = origin == nil || entry?.origin == origin
            return demand.test.passes(isTrusted ? entry?.value : nil)
        }
    }

    /// Whether it certainly holds wherever the other does, so that a rule with the other behind this one is never
    /// reached where the first that matches decides.
    func covers(_ other: Self) -> Bool {
        (subjects.included.contains(.everyone) || subjects.covers(other.subjects)) && models.covers(other.models)
            && metadata.allSatisfy(other.metadata.contains)
            && (metadata.isEmpty || origin == other.origin)
    }
}

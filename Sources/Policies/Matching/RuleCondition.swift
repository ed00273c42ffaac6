internal import Common

/// A rule's `when`. All of its parts must hold. A part that it does not name always holds.
struct RuleCondition: Sendable, Equatable {
    /// One of `included`, and none of `excluded`. Without `included` anything else will do.
    struct Choice<Element: Hashable & Sendable>: Sendable, Equatable {
        var included: Set<Element> = []
        var excluded: Set<Element> = []

        func holds(_ isMet: (Element) -> Bool) -> Bool {
            (included.isEmpty || included.contains(where: isMet)) && !excluded.contains(where: isMet)
        }

        /// Whether it holds for an element itself.
        func names(_ element: Element) -> Bool {
            (included.isEmpty || included.contains(element)) && !excluded.contains(element)
        }

        /// Whether it holds for all that the other holds for.
        func covers(_ other: Self) -> Bool {
            (included.isEmpty || (!other.included.isEmpty && included.isSuperset(of: other.included)))
                && excluded.isSubset(of: other.excluded)
        }
    }

    struct Demand: Sendable, Equatable {
        var key: UTF8Text
        var test: MetadataTest
    }

    /// A part that holds or fails by itself.
    enum Part: Sendable, Equatable {
        case subjects
        case models
        case metadata(Demand)
    }

    var subjects = Choice<Subject>()
    var models = Choice<UTF8Text>()
    var metadata: [Demand] = []
    /// The source that the values of `metadata` must have; nil: any, also a client's claim.
    var origin: ResolvedMetadata.Origin?

    func holds(for facts: RequestFacts) -> Bool {
        hasSubject(facts) && hasModel(facts) && metadata.allSatisfy { isMet($0, by: facts) }
    }

    /// The parts that do not hold; none where the rule matches.
    func unmet(by facts: RequestFacts) -> [Part] {
        (hasSubject(facts) ? [] : [.subjects]) + (hasModel(facts) ? [] : [.models])
            + metadata.filter { !isMet($0, by: facts) }.map { .metadata($0) }
    }

    private func hasSubject(_ facts: RequestFacts) -> Bool {
        subjects.holds { $0.includes(facts.caller) }
    }

    private func hasModel(_ facts: RequestFacts) -> Bool {
        guard let model = facts.model else { return models.included.isEmpty }
        return models.names(UTF8Text(model))
    }

    private func isMet(_ demand: Demand, by facts: RequestFacts) -> Bool {
        let entry = facts[demand.key.text]
        // A value of another source counts as absent.
        let isTrusted = origin == nil || entry?.origin == origin
        return demand.test.passes(isTrusted ? entry?.value : nil)
    }

    /// Whether it certainly holds for all requests that the other holds for. A rule with the other behind this one is
    /// then never reached, if the first that matches decides.
    func covers(_ other: Self) -> Bool {
        let isForAll = subjects.included.isEmpty || subjects.included.contains(.everyone)
        let hasSubjects =
            isForAll ? subjects.excluded.isSubset(of: other.subjects.excluded) : subjects.covers(other.subjects)
        return hasSubjects && models.covers(other.models) && metadata.allSatisfy(other.metadata.contains)
            && (metadata.isEmpty || origin == other.origin)
    }
}

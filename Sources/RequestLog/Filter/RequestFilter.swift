package import Common

/// A choice of rows of the request log. All of its conditions hold for a row that passes. Texts are compared by
/// their bytes.
package struct RequestFilter: Sendable, Equatable {
    /// A condition on the values of a property.
    package enum Test: Sendable, Equatable {
        /// One of its values is one of these.
        case anyOf([UTF8Text])
        /// None of its values is one of these. Rows without a value pass, so that it is the opposite of `anyOf`.
        case noneOf([UTF8Text])
        case contains(String)
        case startsWith(String)
        case present
        case absent
    }

    package typealias Condition = FilterCondition<RequestField>

    package enum Comparison: String, Sendable, CaseIterable {
        case atLeast = "gte"
        case atMost = "lte"
        case above = "gt"
        case below = "lt"

        package func holds(_ value: Double, _ bound: Double) -> Bool {
            switch self {
            case .atLeast: value >= bound
            case .atMost: value <= bound
            case .above: value > bound
            case .below: value < bound
            }
        }
    }

    /// A condition on a measured property. A row in which it was not measured fails.
    package struct Bound: Sendable, Equatable {
        package var number: RequestNumber
        package var comparison: Comparison
        package var value: Double

        package init(_ number: RequestNumber, _ comparison: Comparison, value: Double) {
            self.number = number
            self.comparison = comparison
            self.value = value
        }
    }

    /// Statuses, each with the classes in it spelt out as bounds: `5xx` is 500 to 599.
    package struct StatusCondition: Sendable, Equatable {
        package var ranges: [ClosedRange<Int>]
        /// Whether a status within a range fails instead.
        package var isNegated: Bool

        package init(_ ranges: [ClosedRange<Int>], isNegated: Bool = false) {
            self.ranges = ranges
            self.isNegated = isNegated
        }

        package func holds(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } != isNegated }
    }

    /// The first moment.
    package var from: Timestamp?
    /// The moment behind the last one.
    package var to: Timestamp?
    package var conditions: [Condition] = []
    package var statuses: [StatusCondition] = []
    package var bounds: [Bound] = []

    package init() {}
}

/// A test of a property.
package struct FilterCondition<Field: Sendable & Equatable>: Sendable, Equatable {
    package var field: Field
    package var test: RequestFilter.Test

    package init(_ field: Field, _ test: RequestFilter.Test) {
        self.field = field
        self.test = test
    }

    /// Whether it holds for the values that a row has.
    package func holds(_ values: [String]) -> Bool { values.contains { test.holds($0) } != test.isNegated }
}

extension RequestFilter.Test {
    /// Whether the test holds for one value. Meant for those tests of which one value decides.
    package func holds(_ value: String) -> Bool {
        switch self {
        case .anyOf(let texts), .noneOf(let texts): texts.contains { $0.text == value }
        case .contains(let part): value.contains(part)
        case .startsWith(let start): value.hasPrefix(start)
        case .present, .absent: true
        }
    }

    /// Whether the rows without a passing value are meant.
    package var isNegated: Bool {
        switch self {
        case .noneOf, .absent: true
        case .anyOf, .contains, .startsWith, .present: false
        }
    }
}

extension RequestFilter {
    /// Whether a row passes.
    package func holds(_ row: RequestRow) -> Bool {
        if let from, row.time < from { return false }
        if let to, row.time >= to { return false }
        return statuses.allSatisfy { $0.holds(row.status) }
            && bounds.allSatisfy { bound in
                row.value(of: bound.number).map { bound.comparison.holds($0, bound.value) } ?? false
            }
            && conditions.allSatisfy { $0.holds(row.values(of: $0.field)) }
    }
}

internal import Common

/// A rule's demand on one metadata value. A value that is not there passes `present(false)` and `notIn` alone.
enum MetadataTest: Sendable, Equatable {
    case equals(UTF8Text)
    case isIn(Set<UTF8Text>)
    case notIn(Set<UTF8Text>)
    /// The whole value matches.
    case regex(Pattern)
    case present(Bool)
    case number(NumberComparison, Double)

    enum NumberComparison: String, CaseIterable, Sendable {
        case greater = "gt"
        case atLeast = "gte"
        case less = "lt"
        case atMost = "lte"

        func holds(_ value: Double, _ bound: Double) -> Bool {
            switch self {
            case .greater: value > bound
            case .atLeast: value >= bound
            case .less: value < bound
            case .atMost: value <= bound
            }
        }
    }

    func passes(_ value: String?) -> Bool {
        switch self {
        case .equals(let expected): value.map { $0 == expected.text } ?? false
        case .isIn(let values): value.map { values.contains($0) } ?? false
        case .notIn(let values): value.map { !values.contains($0) } ?? true
        case .regex(let pattern): value.map(pattern.matches) ?? false
        case .present(let isPresent): (value != nil) == isPresent
        case .number(let comparison, let bound):
            value.flatMap(Double.init).map { $0.isFinite && comparison.holds($0, bound) } ?? false
        }
    }
}

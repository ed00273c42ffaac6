/// A regular expression that a whole value must match. Time grows with the value's length alone, for any
/// expression: all alternatives are followed side by side (Thompson 1968). It goes by Unicode scalars.
///
/// It knows literals, `.`, `[a-z]`, `[^a-z]`, `\d`, `\w`, `\s` and their opposites, groups, `|`, `*`, `+`, `?` and
/// `{m,n}`; `^` and `$` may stand at the ends. References and look-around are refused.
package struct Pattern: Sendable, Equatable {
    /// The most steps of an expression, after repetitions are written out.
    package static let stepLimit = 1000
    /// The most groups within one another.
    package static let depthLimit = 32

    /// One step of the expression. Numbers are places in `steps`.
    enum Step: Sendable, Equatable {
        /// Takes one scalar of the set.
        case take(ScalarSet, next: Int)
        /// Goes on at both places.
        case fork(Int, Int)
        /// Goes on where a word begins or ends. In a ``SearchPattern`` alone.
        case boundary(next: Int)
        case end
    }

    /// The expression as it was written.
    package let text: String
    let steps: [Step]
    let start: Int

    /// - Throws: the reason why the expression cannot be used, for a person.
    package init(_ text: String) throws(PatternError) {
        var parser = PatternParser(text)
        let tree = try parser.pattern()
        var compiler = PatternCompiler()
        start = try compiler.compile(tree)
        steps = compiler.steps
        self.text = text
    }

    /// Whether the whole value matches.
    package func matches(_ value: String) -> Bool {
        var current = Threads(steps)
        current.add(start)
        for scalar in value.unicodeScalars {
            var next = Threads(steps)
            for place in current.places {
                if case .take(let set, let following) = steps[place], set.contains(scalar) { next.add(following) }
            }
            if next.places.isEmpty { return false }
            current = next
        }
        return current.places.contains { steps[$0] == .end }
    }

    package static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
}

/// The steps that are reached at one place of a value, each once.
private struct Threads {
    private let steps: [Pattern.Step]
    private var isThere: [Bool]
    private(set) var places: [Int] = []

    init(_ steps: [Pattern.Step]) {
        self.steps = steps
        isThere = Array(repeating: false, count: steps.count)
    }

    /// Adds a place, or those that its forks lead to.
    mutating func add(_ place: Int) {
        var open = [place]
        while let place = open.popLast() {
            guard !isThere[place] else { continue }
            isThere[place] = true
            switch steps[place] {
            case .fork(let first, let second): open += [second, first]
            case .boundary: continue
            case .take, .end: places.append(place)
            }
        }
    }
}

/// The reason why an expression cannot be used.
package struct PatternError: Error, Sendable, Equatable {
    /// The fault and its repair.
    package var message: String
    /// The scalar at fault, counted from 1; nil for the whole.
    package var position: Int?
}

/// Writes the steps of an expression's tree, from its end to its start.
struct PatternCompiler {
    private(set) var steps: [Pattern.Step] = []
    /// Parts that were written, those without steps of their own too.
    private var parts = 0

    /// - Returns: the first step.
    /// - Throws: if there would be more than `Pattern.stepLimit` steps.
    mutating func compile(_ tree: PatternParser.Node) throws(PatternError) -> Int {
        let end = try add(.end)
        return try compile(tree, then: end)
    }

    private mutating func compile(_ node: PatternParser.Node, then next: Int) throws(PatternError) -> Int {
        parts += 1
        guard parts <= 10 * Pattern.stepLimit else { throw Self.tooLong }
        switch node {
        case .set(let set): return try add(.take(set, next: next))
        case .boundary: return try add(.boundary(next: next))
        case .sequence(let nodes):
            var next = next
            for node in nodes.reversed() { next = try compile(node, then: next) }
            return next
        case .choice(let nodes):
            var starts: [Int] = []
            for node in nodes { starts.append(try compile(node, then: next)) }
            var start = starts[starts.count - 1]
            for other in starts.dropLast().reversed() { start = try add(.fork(other, start)) }
            return start
        case .repetition(let node, let least, let most):
            return try compile(node, least: least, most: most, then: next)
        }
    }

    private mutating func compile(
        _ node: PatternParser.Node, least: Int, most: Int?, then end: Int
    ) throws(PatternError) -> Int {
        var next = end
        if let most {
            for _ in least..<most {
                let start = try compile(node, then: next)
                next = try add(.fork(start, end))
            }
        } else {
            // The fork comes first, so that the repeated part can lead back to it.
            next = try add(.fork(end, end))
            let start = try compile(node, then: next)
            steps[next] = .fork(start, end)
        }
        for _ in 0..<least { next = try compile(node, then: next) }
        return next
    }

    private mutating func add(_ step: Pattern.Step) throws(PatternError) -> Int {
        guard steps.count < Pattern.stepLimit else { throw Self.tooLong }
        steps.append(step)
        return steps.count - 1
    }

    private static let tooLong = PatternError(
        message: "has more than \(Pattern.stepLimit) steps; write fewer repetitions", position: nil)
}

internal import Text

/// Reads an expression into a tree.
struct PatternParser {
    indirect enum Node {
        case set(ScalarSet)
        /// The beginning or end of a word.
        case boundary
        case sequence([Node])
        case choice([Node])
        /// `most` nil: any number.
        case repetition(Node, least: Int, most: Int?)
    }

    private let scalars: [Unicode.Scalar]
    /// Whether the expression is looked for anywhere in a text: then its ends are those of no value.
    private let isSearched: Bool
    private var index = 0
    private var depth = 0

    init(_ text: String, isSearched: Bool = false) {
        scalars = Array(text.unicodeScalars)
        self.isSearched = isSearched
    }

    /// The whole expression.
    mutating func pattern() throws(PatternError) -> Node {
        if peek == "^", !isSearched { index += 1 }
        let node = try choice()
        if isLastDollar { index += 1 }
        if peek == ")" { throw error("a group is closed that was not opened; write `\\)` for the character") }
        return node
    }

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    /// Whether the `$` comes that stands for the end of the value.
    private var isLastDollar: Bool { peek == "$" && index + 1 == scalars.count && !isSearched }

    private mutating func choice() throws(PatternError) -> Node {
        var branches = [try sequence()]
        while peek == "|" {
            index += 1
            branches.append(try sequence())
        }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PatternError) -> Node {
        var nodes: [Node] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            if isLastDollar { break }
            let node = try atom(scalar)
            nodes.append(try repeated(node))
        }
        return .sequence(nodes)
    }

    private mutating func repeated(_ node: Node) throws(PatternError) -> Node {
        guard let (least, most) = try quantifier() else { return node }
        if let next = peek, next == "*" || next == "+" || next == "?" || next == "{" {
            throw error("one repetition stands behind another; put the first into a group, or remove one")
        }
        return .repetition(node, least: least, most: most)
    }

    private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
        switch peek {
        case "*": index += 1; return (0, nil)
        case "+": index += 1; return (1, nil)
        case "?": index += 1; return (0, 1)
        case "{": return try bounds()
        default: return nil
        }
    }

    /// `{m}`, `{m,}` or `{m,n}`.
    private mutating func bounds() throws(PatternError) -> (least: Int, most: Int?) {
        let start = index
        index += 1
        let least = number()
        var most = least
        if peek == "," {
            index += 1
            most = number()
        }
        guard let least, peek == "}", most ?? least >= least, max(least, most ?? 0) <= Pattern.stepLimit else {
            index = start
            throw error("a repetition is not of the form `{2}`, `{2,}` or `{2,5}`; write `\\{` for the character")
        }
        index += 1
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek, ("0"..."9").contains(digit), value ?? 0 <= Pattern.stepLimit {
            value = (value ?? 0) * 10 + Int(digit.value - 0x30)
            index += 1
        }
        return value
    }

    private mutating func atom(_ scalar: Unicode.Scalar) throws(PatternError) -> Node {
        switch scalar {
        case "(": return try group()
        case "[": return .set(try scalarClass())
        case "\\" where isSearched && index + 1 < scalars.count && scalars[index + 1] == "b":
            index += 2
            return .boundary
        case "\\": return .set(try escape())
        case ".":
            index += 1
            return .set(.any)
        case "*", "+", "?", "{":
            throw error("nothing stands before this repetition; write `\\\(scalar)` for the character")
        case "^" where isSearched, "$" where isSearched:
            throw error(
                "`\(scalar)` has no meaning in an expression that is looked for anywhere; remove it, or write "
                    + "`\\\(scalar)` for the character")
        case "^", "$":
            throw error("`\(scalar)` stands at the ends of the expression only, since the whole value is compared")
        default:
            index += 1
            return .set(ScalarSet(scalar))
        }
    }

    private mutating func group() throws(PatternError) -> Node {
        let start = index
        depth += 1
        guard depth <= Pattern.depthLimit else { throw error("groups nest deeper than \(Pattern.depthLimit)") }
        index += 1
        if peek == "?" {
            guard index + 1 < scalars.count, scalars[index + 1] == ":" else {
                throw error("look-around and named groups are not supported; use `(…)` or `(?:…)`")
            }
            index += 2
        }
        let node = try choice()
        guard peek == ")" else {
            index = start
            throw error("this group is not closed")
        }
        index += 1
        depth -= 1
        return node
    }

    private mutating func scalarClass() throws(PatternError) -> ScalarSet {
        let start = index
        index += 1
        var set = ScalarSet()
        let isNegated = peek == "^"
        if isNegated { index += 1 }
        var isFirst = true
        while let scalar = peek, scalar != "]" || isFirst {
            isFirst = false
            let first = scalar == "\\" ? try escape() : ScalarSet(scalar)
            if scalar != "\\" { index += 1 }
            guard peek == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else {
                set.formUnion(first)
                continue
            }
            index += 1
            set.formUnion(ScalarSet([try range(from: first)]))
        }
        guard peek == "]" else {
            index = start
            throw error("this class is not closed; write `\\[` for the character")
        }
        index += 1
        set.isNegated = isNegated
        return set
    }

    /// The rest of `a-z`.
    private mutating func range(from first: ScalarSet) throws(PatternError) -> ClosedRange<UInt32> {
        let last: ScalarSet
        if peek == "\\" {
            last = try escape()
        } else {
            last = ScalarSet(scalars[index])
            index += 1
        }
        guard let low = first.single, let high = last.single, low <= high else {
            throw error("a range such as `a-z` goes from one character to a later one")
        }
        return low...high
    }

    private mutating func escape() throws(PatternError) -> ScalarSet {
        guard index + 1 < scalars.count else { throw error("nothing stands behind the backslash") }
        let scalar = scalars[index + 1]
        index += 2
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.opposite
        case "w": return .word
        case "W": return ScalarSet.word.opposite
        case "s": return .space
        case "S": return ScalarSet.space.opposite
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "a"..."z", "A"..."Z", "0"..."9":
            index -= 2
            throw error("`\\\(scalar)` is not supported; known are \\d \\D \\w \\W \\s \\S \\n \\r \\t, and signs")
        default: return ScalarSet(scalar)
        }
    }

    private func error(_ message: String) -> PatternError { PatternError(message: message, position: index + 1) }
}

extension ScalarSet {
    /// The only scalar; nil for a class.
    fileprivate var single: UInt32? {
        guard !isNegated, ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}

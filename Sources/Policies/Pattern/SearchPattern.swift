/// A regular expression that is looked for anywhere in a text: the language of ``Pattern``, and `\b` where a word
/// begins or ends. The time grows with the text's length times the expression's, for any expression.
package struct SearchPattern: Sendable {
    /// The most Unicode scalars of an expression.
    package static let lengthLimit = 256
    /// The most steps of an expression, after repetitions are written out: at each place of a text all may be followed.
    package static let stepLimit = 256

    let steps: [Pattern.Step]
    let start: Int
    /// By a byte: whether a match may begin with it. Most texts are passed over by this alone.
    private let beginnings: [Bool]

    /// - Throws: the reason why the expression cannot be used, for a person.
    package init(_ text: String) throws(PatternError) {
        guard text.unicodeScalars.dropFirst(Self.lengthLimit).isEmpty else {
            throw PatternError(message: "is longer than \(Self.lengthLimit) characters; shorten it", position: nil)
        }
        var parser = PatternParser(text, isSearched: true)
        let tree = try parser.pattern()
        var compiler = PatternCompiler()
        start = try compiler.compile(tree)
        steps = compiler.steps
        guard steps.count <= Self.stepLimit else {
            throw PatternError(
                message: "has \(steps.count) steps with its repetitions written out, of at most \(Self.stepLimit); "
                    + "repeat less often", position: nil)
        }
        var beginnings = [Bool](repeating: false, count: 256)
        for step in Self.reached(from: start, steps) {
            switch step {
            case .take(let set, _):
                for byte in 0..<0x80 where set.contains(Unicode.Scalar(UInt8(byte))) { beginnings[byte] = true }
                // The first bytes of all other scalars.
                for byte in 0xC0...0xFF { beginnings[byte] = true }
            case .end:
                throw PatternError(message: "matches where there is nothing; demand a character", position: nil)
            case .fork, .boundary: continue
            }
        }
        self.beginnings = beginnings
    }

    /// The steps that are reached without taking anything.
    private static func reached(from start: Int, _ steps: [Pattern.Step]) -> [Pattern.Step] {
        var (open, seen) = ([start], Set<Int>())
        while let place = open.popLast() {
            guard seen.insert(place).inserted else { continue }
            switch steps[place] {
            case .fork(let first, let second): open += [first, second]
            case .boundary(let next): open.append(next)
            case .take, .end: continue
            }
        }
        return seen.map { steps[$0] }
    }

    /// All that any match covers, as ranges of bytes in their order, of which no two overlap.
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - work: steps that may be followed, each at one place of a text; reduced by those that were. Below 0 the
    ///     search was given up, and something may not have been found.
    package func ranges(in text: UnsafeBufferPointer<UInt8>, within work: inout Int) -> [Range<Int>] {
        var search = PatternSearch(steps, start: start)
        var place = 0
        while place < text.count, work >= 0 {
            if search.isIdle, !beginnings[Int(text[place])] {
                place += 1
                continue
            }
            place = search.step(at: place, in: text)
            work -= search.followed
        }
        search.end(at: place, in: text)
        return search.found
    }
}

/// One pass over a text. It follows all that may become a match at once, and of those that are at the same step the one
/// that began first: of the matches with one end it covers all the others.
private struct PatternSearch {
    private struct Thread {
        var place: Int
        /// The place in the text at which it began.
        var start: Int
    }

    private let steps: [Pattern.Step]
    private let start: Int
    /// The threads that want a scalar, in the order of their starts.
    private var threads: [Thread] = []
    private var next: [Thread] = []
    private var open: [Int] = []
    /// By a step: the turn in which it was reached last.
    private var reached: [Int]
    private var turn = 0
    private(set) var found: [Range<Int>] = []

    init(_ steps: [Pattern.Step], start: Int) {
        self.steps = steps
        self.start = start
        reached = Array(repeating: 0, count: steps.count)
    }

    /// Steps that were followed at the last place.
    var followed: Int { threads.count }

    /// Whether nothing has begun to match.
    var isIdle: Bool { next.isEmpty }

    /// Takes the scalar at a place.
    /// - Returns: the place behind it.
    mutating func step(at place: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        end(at: place, in: text)
        add(start, from: place, at: place, in: text)
        let (scalar, width) = Self.scalar(in: text, at: place)
        for thread in threads {
            guard case .take(let set, let following) = steps[thread.place], set.contains(scalar) else { continue }
            next.append(Thread(place: following, start: thread.start))
        }
        return place + width
    }

    /// Goes on to the steps that take something, and notes the matches that end at a place.
    mutating func end(at place: Int, in text: UnsafeBufferPointer<UInt8>) {
        turn += 1
        threads.removeAll(keepingCapacity: true)
        for thread in next { add(thread.place, from: thread.start, at: place, in: text) }
        next.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ step: Int, from start: Int, at place: Int, in text: UnsafeBufferPointer<UInt8>) {
        open.append(step)
        while let step = open.popLast() {
            // What was there first began first.
            guard reached[step] != turn else { continue }
            reached[step] = turn
            switch steps[step] {
            case .fork(let first, let second): open += [second, first]
            case .boundary(let next): if Self.isBoundary(place, in: text) { open.append(next) }
            case .take: threads.append(Thread(place: step, start: start))
            case .end: note(start..<place)
            }
        }
    }

    /// Notes a match. Ends come in their order.
    private mutating func note(_ match: Range<Int>) {
        var match = match
        while let last = found.last, last.upperBound > match.lowerBound {
            match = min(last.lowerBound, match.lowerBound)..<match.upperBound
            found.removeLast()
        }
        found.append(match)
    }

    private static func isBoundary(_ place: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        let before = place > 0 && isWord(text[place - 1])
        return before != (place < text.count && isWord(text[place]))
    }

    private static func isWord(_ byte: UInt8) -> Bool { ScalarSet.word.contains(Unicode.Scalar(byte)) }

    /// The scalar at a place, and its bytes. A byte that is not UTF-8 is U+FFFD.
    private static func scalar(in text: UnsafeBufferPointer<UInt8>, at place: Int) -> (Unicode.Scalar, width: Int) {
        let first = text[place]
        guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
        let width = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first < 0xF5, place + width <= text.count else { return ("\u{FFFD}", 1) }
        var value = UInt32(first & (0xFF >> UInt8(width + 1)))
        for byte in text[place + 1..<place + width] {
            guard byte & 0xC0 == 0x80 else { return ("\u{FFFD}", 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", width)
    }
}

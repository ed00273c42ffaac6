import TestSupport
import Testing

@testable import Policies

/// Regular expressions that are looked for anywhere in a text.
@Suite(.timeLimit(.minutes(5))) struct SearchPatternTests {
    /// The parts of a text that an expression covers.
    static func parts(_ expression: String, _ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        var work = Int.max
        let ranges = try bytes.withUnsafeBufferPointer { try SearchPattern(expression).ranges(in: $0, within: &work) }
        return ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("EMP-[0-9]{4}", "EMP-1234, emp-1234, EMP-12345", ["EMP-1234", "EMP-1234"]),
            (#"\bEMP-[0-9]{4}\b"#, "EMP-1234, XEMP-1234, EMP-12345", ["EMP-1234"]),
            (#"\b\d{3}-\d{2}-\d{4}\b"#, "is 123-45-6789.", ["123-45-6789"]),
            ("a|ab", "abab", ["ab", "ab"]),
            ("ab|bc", "abc abc", ["abc", "abc"]),
            ("a+", "baaab", ["aaa"]),
            ("é+", "éé e\u{301}", ["éé"]),
            ("🙂.", "🙂🙂a", ["🙂🙂a"]),
            ("x", "", []),
            ("x", "yyy", []),
            (#"\bé"#, "é", []),
            (#"a\b"#, "a ab a", ["a", "a"]),
            ("[^a]b", "\u{FFFD}b", ["\u{FFFD}b"]),
        ] as [(String, String, [String])])
    func `what any match covers is found`(expression: String, text: String, found: [String]) throws {
        #expect(try Self.parts(expression, text) == found)
    }

    /// The whole-value engine as the judge: each part of each value is asked about.
    @Test(arguments: 0..<200) func `random expressions cover what their matches do`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let text = PatternTests.expression(depth: 3, &random)
        guard let search = try? SearchPattern(text) else {
            #expect(try Pattern(text).matches(""), "only what matches nothing is refused")
            return
        }
        let whole = try Pattern(text)
        for _ in 0..<20 {
            let value = String((0..<random.below(9)).map { _ in "abcd".randomElement(using: &random) ?? "a" })
            let bytes = Array(value.utf8)
            var isCovered = [Bool](repeating: false, count: bytes.count)
            for start in bytes.indices {
                for end in start + 1...bytes.count
                where whole.matches(String(decoding: bytes[start..<end], as: UTF8.self)) {
                    for place in start..<end { isCovered[place] = true }
                }
            }
            var work = Int.max
            let ranges = bytes.withUnsafeBufferPointer { search.ranges(in: $0, within: &work) }
            let found = bytes.indices.map { place in ranges.contains { $0.contains(place) } }
            #expect(found == isCovered, "\(text) in \(value)")
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        }
    }

    /// What is not UTF-8 is passed over a byte at a time.
    @Test func `damaged text never traps`() throws {
        let pattern = try SearchPattern(#"[^a]+|\bx"#)
        var random = SeededRandom(seed: 3)
        for _ in 0..<500 {
            let bytes = (0..<random.below(12)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var work = Int.max
            let ranges = bytes.withUnsafeBufferPointer { pattern.ranges(in: $0, within: &work) }
            #expect(ranges.allSatisfy { $0.upperBound <= bytes.count && !$0.isEmpty })
        }
    }

    @Test(
        arguments: [
            ("a*", "matches where there is nothing"), ("", "matches where there is nothing"),
            (#"\b"#, "matches where there is nothing"), ("^a", "remove it"), ("a$", "remove it"), ("(a", "not closed"),
            (String(repeating: "a", count: 257), "longer than 256"), (#"[\b]"#, "not supported"),
            (#"\w{300}"#, "at most 256"),
        ])
    func `what cannot be looked for is refused`(text: String, part: String) {
        let error = #expect(throws: PatternError.self) { try SearchPattern(text) }
        #expect(error?.message.contains(part) == true, "\(String(describing: error))")
    }

    /// What may follow many ways at each place is given up in time, and says so.
    @Test func `the work is bounded`() throws {
        let text = Array(String(repeating: "a", count: 100_000).utf8)
        let pattern = try SearchPattern(#"\w{1,64}@x"#)
        var work = 100_000
        _ = text.withUnsafeBufferPointer { pattern.ranges(in: $0, within: &work) }
        #expect(work < 0 && work > -200)
    }

    /// An engine that goes back would take years, and one that begins anew at each place a square of the length.
    @Test func `the time grows with the length alone`() throws {
        let text = Array(String(repeating: "a", count: 100_000).utf8)
        for expression in ["(a+)+b", "a|a.*b", "(a|aa)+c"] {
            let pattern = try SearchPattern(expression)
            var work = Int.max
            let ranges = text.withUnsafeBufferPointer { pattern.ranges(in: $0, within: &work) }
            #expect(ranges.isEmpty || expression.hasPrefix("a|"))
        }
    }
}

import TestSupport
import Testing

@testable import Policies

/// Regular expressions over whole values.
@Suite struct PatternTests {
    @Test(
        arguments: [
            ("", [""], ["a"]),
            ("abc", ["abc"], ["ab", "abcd", "xabc", "ABC"]),
            ("^abc$", ["abc"], ["abcd"]),
            ("a|bc", ["a", "bc"], ["b", "abc"]),
            ("^a|b$", ["a", "b"], ["ab"]),
            ("a*", ["", "aaaa"], ["b", "ab"]),
            ("a+b?", ["a", "aab"], ["", "b", "abb"]),
            ("a{2}", ["aa"], ["a", "aaa"]),
            ("a{2,}", ["aa", "aaaaa"], ["a"]),
            ("(ab){1,2}c{0}", ["ab", "abab"], ["", "ababab", "abc"]),
            ("(?:a|b)+", ["abba"], ["", "abc"]),
            ("cust-[0-9]+", ["cust-1", "cust-042"], ["cust-", "cust-x", "a cust-1"]),
            ("[a-cx]", ["a", "c", "x"], ["d", "-"]),
            ("[^a-c]", ["d", "é", "🙂"], ["a", ""]),
            ("[]a]", ["]", "a"], ["b"]),
            ("[a-]", ["a", "-"], ["b"]),
            (#"[\w-]"#, ["a", "_", "-"], ["é", " "]),
            (#"[^\W]"#, ["a"], ["-", "é"]),
            (#"[\D]"#, ["a", "é"], ["5"]),
            (#"\d\D\w\W\s\S"#, ["1aZ- x"], ["aaZ- x"]),
            (#"\.\*\[\\"#, [#".*[\"#], ["a*[\\"]),
            (".", ["a", "\u{301}", "🙂"], ["\n", "ab"]),
            // One scalar each: nothing is composed.
            ("e.", ["e\u{301}"], ["é"]),
            ("é", ["é"], ["e\u{301}"]),
            (#"a\$"#, ["a$"], ["a"]),
            ("(a*)*", ["", "aaa"], ["b"]),
            ("(a|)", ["a", ""], ["b"]),
        ] as [(String, [String], [String])])
    func `an expression matches whole values`(text: String, good: [String], bad: [String]) throws {
        let pattern = try Pattern(text)
        for value in good { #expect(pattern.matches(value), "\(text) on \(value)") }
        for value in bad { #expect(!pattern.matches(value), "\(text) on \(value)") }
    }

    @Test(
        arguments: [
            ("(a", 1, "not closed"), ("a)", 2, "not opened"), ("a|b)", 4, "not opened"),
            ("*a", 1, "before this repetition"),
            ("a**", 3, "one repetition"), ("a+?", 3, "one repetition"), ("a{2}{3}", 5, "one repetition"),
            ("a{", 2, "form"),
            ("a{3,2}", 2, "form"), ("a{,2}", 2, "form"), ("a{99999}", 2, "form"), ("[a", 1, "not closed"),
            ("[z-a]", 5, "range"),
            (#"[\d-z]"#, 6, "range"), ("a^", 2, "at the ends"), ("a$b", 2, "at the ends"),
            (#"(a)\1"#, 4, "not supported"),
            (#"\bx"#, 1, "not supported"), (#"a\"#, 2, "backslash"), ("(?=a)", 2, "look-around"),
            ("(?<n>a)", 2, "look-around"),
        ])
    func `a mistake is told with its place`(text: String, position: Int, part: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(text) }
        #expect(
            error?.position == position && error?.message.contains(part) == true,
            "\(text): \(String(describing: error))")
    }

    @Test func `an expression is bounded`() {
        #expect(throws: PatternError.self) { try Pattern("((a{100}){100}){100}") }
        #expect(throws: PatternError.self) { try Pattern(String(repeating: "a", count: Pattern.stepLimit)) }
        #expect(throws: Never.self) { try Pattern(String(repeating: "a", count: Pattern.stepLimit - 1)) }
        #expect(throws: PatternError.self) {
            try Pattern(String(repeating: "(", count: 33) + String(repeating: ")", count: 33))
        }
        #expect(throws: Never.self) {
            try Pattern(String(repeating: "(", count: 32) + String(repeating: ")", count: 32))
        }
    }

    /// An engine that tries one way after the other would take years.
    @Test func `no expression takes exponential time`() throws {
        let value = String(repeating: "a", count: 128) + "!"
        for text in ["(a+)+", "(a|a)*", "(a*)*b", "(a|aa)+$"] { #expect(try !Pattern(text).matches(value)) }
    }

    /// Swift's own engine as the judge, over short values of three letters.
    @Test(arguments: 0..<300) func `random expressions agree with Swift's`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let text = Self.expression(depth: 3, &random)
        let (own, other) = (try Pattern(text), try Regex(text).matchingSemantics(.unicodeScalar))
        for _ in 0..<40 {
            let value = String((0..<random.below(7)).map { _ in "abc".randomElement(using: &random) ?? "a" })
            #expect(own.matches(value) == (try other.wholeMatch(in: value) != nil), "\(text) on \(value)")
        }
    }

    static func expression(depth: Int, _ random: inout SeededRandom) -> String {
        guard depth > 0 else { return ["a", "b", ".", "[ab]", "[^a]", "c"][random.below(6)] }
        let part = { (random: inout SeededRandom) in expression(depth: depth - 1, &random) }
        switch random.below(6) {
        case 0: return part(&random) + part(&random)
        case 1: return "(\(part(&random))|\(part(&random)))"
        case 2: return "(\(part(&random)))*"
        case 3: return "(\(part(&random)))?"
        case 4: return "(\(part(&random))){1,2}"
        default: return part(&random) + "(\(part(&random)))+"
        }
    }

    /// A part without steps of its own is bounded too.
    @Test func `repetitions of nothing are bounded`() {
        #expect(throws: PatternError.self) { try Pattern("(((){1000}){1000}){1000}") }
    }
}

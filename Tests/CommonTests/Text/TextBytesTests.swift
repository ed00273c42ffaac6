import TestSupport
import Testing

@testable import Common
@testable import JSON

/// Texts are the same if their bytes are, and none is normalised.
@Suite struct TextBytesTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    /// What must not hold of two texts that only look alike.
    private static let questions: [(name: String, joins: @Sendable (String, String) -> Bool)] = [
        ("==", { $0 == $1 }), ("!=", { !($0 != $1) }),
        (
            "optional ==",
            { (one: String, other: String) in
                let (left, right): (String?, String?) = (one, other)
                return left == right
            }
        ),
        ("substring ==", { $0[...] == $1[...] }), ("text and part", { $0 == $1[...] }), ("list ==", { [$0] == [$1] }),
        ("list contains", { [$0].contains($1) }), ("firstIndex", { [$0].firstIndex(of: $1) != nil }),
        ("hasPrefix", { $0.hasPrefix($1) }),
        ("hasSuffix", { $0.hasSuffix($1) }), ("contains", { $0.contains($1) }),
        ("case", { if case $0 = $1 { true } else { false } }),
        ("UTF8Text", { UTF8Text($0) == UTF8Text($1) }), ("set", { Set(texts: [$0]).contains($1) }),
        ("dictionary", { [UTF8Text($0): 1][$1] != nil }), ("header", { HeaderField("a", $0) == HeaderField("a", $1) }),
        (
            "ids",
            {
                let ids = [$0, $1].map { RolloutIDs(rollout: $0, invocation: "i", experiment: "e", run: "r", row: "w") }
                return Set(ids).count == 1
            }
        ),
        (
            "names of JSON",
            {
                var names = JSONNames()
                return !(names.insert($0) && names.insert($1))
            }
        ),
        ("rollout of a tag", { RolloutName.named(by: ["rollout_id:" + $0]) == [$1] }),
    ]

    @Test(arguments: questions.map(\.name)) func `what looks alike is not the same`(name: String) throws {
        let question = try #require(Self.questions.first { $0.name == name })
        #expect(!question.joins(Self.composed, Self.decomposed))
        #expect(question.joins(Self.decomposed, Self.decomposed))
    }

    /// Each would take many minutes if it normalised the marks.
    @Test(arguments: questions.map(\.name)) func `a megabyte of marks takes no time`(name: String) throws {
        let question = try #require(Self.questions.first { $0.name == name })
        let marks = String(repeating: "\u{323}\u{301}", count: 1 << 18)
        let time = ContinuousClock().measure {
            _ = question.joins(marks + "a", marks + "b")
            _ = question.joins(marks, "a")
        }
        #expect(time < .seconds(60), "\(time)")
    }

    /// A mark or a joiner belongs to the `Character` before it, which is then no colon, slash or comma any longer.
    @Test(arguments: ["\u{301}x", "\u{200D}x", "\u{FE0F}", "\u{1F3FD}"]) func `separators are found in front of a mark`(
        mark: String
    ) {
        #expect(
            "rollout_id:\(mark)".split(separator: ":").map { Array($0.utf8) }
                == ["rollout_id", mark].map { Array($0.utf8) })
        #expect("a/\(mark)".firstIndex(of: "/") != nil && "a/\(mark)".contains("/"))
        #expect("rollout_id:\(mark)".hasPrefix("rollout_id:"))
        #expect(Array("rollout_id:\(mark)".dropFirst(11).utf8) == Array(mark.utf8))
        #expect(RolloutName.named(by: ["rollout_id:\(mark)"]).map { Array($0.utf8) } == [Array(mark.utf8)])
    }

    @Test func `splitting is as the standard library does it`() {
        for text in ["", ",", "a", "a,b", ",a,,b,", "a,b,c,d"] {
            for omitting in [true, false] {
                for most in [0, 1, 2, Int.max] {
                    let parts = text.split(separator: ",", maxSplits: most, omittingEmptySubsequences: omitting)
                    let expected = text.utf8.split(
                        separator: UInt8(ascii: ","), maxSplits: most, omittingEmptySubsequences: omitting)
                    #expect(parts.map { Array($0.utf8) } == expected.map { Array($0) }, "\(text) \(omitting) \(most)")
                }
            }
        }
    }

    @Test func `places are found as in bytes`() {
        var random = SeededRandom(seed: 7)
        func letters(_ sizes: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: sizes, using: &random)).map { _ in Bool.random(using: &random) ? "a" : "b" })
        }
        for _ in 0..<2000 {
            let (text, part) = (letters(0...9), letters(1...3))
            let found = text.utf8.indices.contains { text.utf8[$0...].starts(with: part.utf8) }
            #expect(text.contains(part) == found, "\(text) \(part)")
        }
    }

    @Test func `cutting counts scalars`() {
        #expect(Array("e\u{301}e".prefix(1).utf8) == Array("e".utf8))
        #expect("ab\u{301}".suffix(1).unicodeScalars.count == 1)
        #expect("\u{212A}A".lowercased() == "\u{212A}a", "the sign for Kelvin is not a letter of ASCII")
    }
}

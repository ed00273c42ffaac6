import Common
import Testing

struct YAMLReaderTests {
    /// The value behind `a:`.
    static func value(_ text: String) throws -> YAMLNode {
        try #require(YAMLDocumentTests.parse("a: " + text).mapping().entries.first).value
    }

    @Test(arguments: [
        ("x", "x"), ("123", "123"), ("no", "no"), ("'null'", "null"), ("\"a b\"", "a b"),
        ("|\n  two\n  lines", "two\nlines"),
    ])
    func `text is read as written`(text: String, expected: String) throws {
        #expect(try Self.value(text).string() == expected)
    }

    @Test(arguments: [("0", 0), ("10", 10), ("7", 7)])
    func `numbers are read`(text: String, expected: Int) throws {
        #expect(try Self.value(text).int(in: 0...10) == expected)
    }

    @Test(arguments: [("true", true), ("False", false), ("TRUE", true)])
    func `truth values are read`(text: String, expected: Bool) throws {
        #expect(try Self.value(text).bool() == expected)
    }

    @Test(arguments: ["-1", "11", "x", "'7'", "1.0", "", "[1]", "99999999999999999999"])
    func `other than a number in range is refused`(text: String) throws {
        let node = try Self.value(text)
        let error = try #require(throws: ConfigurationError.self) { try node.int(in: 0...10) }
        #expect(error.description.contains("`a` must be a whole number from 0 to 10, but is "))
    }

    @Test(arguments: ["yes", "1", "'true'", "[]", "~"])
    func `other than a truth value is refused`(text: String) throws {
        let node = try Self.value(text)
        #expect(throws: ConfigurationError.self) { try node.bool() }
    }

    @Test(arguments: [
        ("", "`a` has no value"), ("''", "`a` has no value"), ("[]", "must be text, but is a list"),
        ("{}", "but is a mapping"),
    ])
    func `other than text is refused`(text: String, message: String) throws {
        let node = try Self.value(text)
        let error = try #require(throws: ConfigurationError.self) { try node.string() }
        #expect(error.description.hasSuffix(message))
    }

    @Test func `a secret in the wrong place is not shown`() throws {
        let node = try Self.value("sk-canary")
        let errors = [
            #expect(throws: ConfigurationError.self) { try node.mapping() },
            #expect(throws: ConfigurationError.self) { try node.sequence() },
            #expect(throws: ConfigurationError.self) { try node.int(in: 0...1) },
            #expect(throws: ConfigurationError.self) { try node.bool() },
            #expect(throws: ConfigurationError.self) { try node.baseURL() },
        ]
        #expect(errors.allSatisfy { $0?.description.contains("canary") == false })
    }

    @Test(arguments: ["'sk a'", "\"sk\\n\"", "é", "\"\\0\""])
    func `a secret must fit into a header`(text: String) throws {
        let node = try Self.value(text)
        #expect(throws: ConfigurationError.self) { try node.secret() }
    }

    @Test func `unknown keys are named together with what is near`() throws {
        let mapping = try YAMLDocumentTests.parse("publik_key: 1\nsecret_key: 2\nzzz: 3").mapping()
        let error = try #require(throws: ConfigurationError.self) {
            try mapping.allow(only: ["public_key", "secret_key"])
        }
        #expect(
            error.problems.map(\.description) == [
                "f.yaml:1:1: error: unknown key `publik_key`. Did you mean `public_key`? Known here: `public_key`, `secret_key`.",
                "f.yaml:3:1: error: unknown key `zzz`. Known here: `public_key`, `secret_key`.",
            ])
    }

    @Test func `a missing key is named with its owner`() throws {
        let mapping = try Self.value("{b: 1, c: }").mapping()
        #expect(mapping["c"] == nil)
        let error = try #require(throws: ConfigurationError.self) { try mapping.required("c") }
        #expect(error.description == "f.yaml:1:4: error: `a` needs `c`")
    }

    @Test(arguments: [
        ("fo", ["foo", "bar"], "foo"), ("PROT", ["PORT"], "PORT"), ("Redis_Host", ["REDIS_HOST"], "REDIS_HOST"),
        ("x", ["completely"], nil),
        ("abcdef", ["abxyef"], "abxyef"), ("abcdef", ["axyzef"], nil), ("", ["a"], "a"),
    ])
    func `near misses`(word: String, candidates: [String], expected: String?) {
        #expect(SpellingSuggestion.nearest(to: word, among: candidates) == expected)
    }
}

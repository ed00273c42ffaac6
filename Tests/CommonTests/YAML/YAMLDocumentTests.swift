import Common
import Testing

struct YAMLDocumentTests {
    static func parse(_ text: String) throws(ConfigurationError) -> YAMLNode {
        try YAMLDocument(parsing: Array(text.utf8), file: "f.yaml").root
    }

    /// The message of the only problem of a text.
    static func problem(_ text: String) throws -> String {
        let error = try #require(throws: ConfigurationError.self) { try parse(text) }
        return error.description
    }

    @Test func `every value knows its place and path`() throws {
        let root = try Self.parse("a: 1\nlist:\n  - x\n  - id: é\n    key: 'no'\n")
        let list = try #require(root.mapping()["list"]).sequence()
        #expect(try list[0].string() == "x")
        #expect((list[0].line, list[0].column) == (3, 5))
        #expect(list[0].path == "list[0]")
        let key = try #require(list[1].mapping()["key"])
        #expect(key.content == .scalar("no", isPlain: false))
        #expect(key.location.description == "f.yaml:5:10")
        #expect(key.path == "list[1].key")
    }

    @Test func `mappings keep their order`() throws {
        #expect(try Self.parse("z: 1\na: 2\nm: 3").keys == ["z", "a", "m"])
    }

    @Test(arguments: ["", "# only a comment\n", "---\n", "~", "null"])
    func `a file with nothing is null`(text: String) throws {
        let root = try Self.parse(text)
        #expect(root.isNull)
        #expect(try root.mapping().entries.isEmpty)
    }

    @Test(arguments: ["\u{FEFF}a: 1", "a: 1\r\n", "---\na: 1\n...\n", "%YAML 1.1\n---\na: 1"])
    func `the forms of a file are read`(text: String) throws {
        #expect(try #require(Self.parse(text).mapping()["a"]).int(in: 0...9) == 1)
    }

    @Test(arguments: [
        ("a: &x 1\nb: *x", "f.yaml:1:4: error: anchors (`&name`) are not read"),
        ("a: *x", "f.yaml:1:4: error: aliases (`*name`) are not read"),
        ("&a [*a]", "f.yaml:1:1: error: anchors"),
        ("a: !!int 1", "f.yaml:1:4: error: tags are not read; remove `tag:yaml.org,2002:int`"),
        ("a: !env KEY", "f.yaml:1:4: error: tags are not read; remove `!env`"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: error: `a` is already given on line 1"),
        ("a: 1\n\"\\x61\": 3", "f.yaml:2:1: error: `a` is already given on line 1"),
        ("? [a]\n: 1", "f.yaml:1:3: error: a key must be text"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: error: a second document begins here"),
        ("a: b: c", "f.yaml:1:5: error: mapping values are not allowed in this context; quote"),
        ("a:\n\tb: 1", "f.yaml:2:1: error: a tab stands here; YAML is indented with spaces alone"),
        ("a: [1, 2", "f.yaml:2:1: error: did not find expected ',' or ']'"),
        ("a: @b", "f.yaml:1:4: error: found character that cannot start any token"),
        ("a: \"\\q\"", "f.yaml:1:5: error: found unknown escape character"),
    ])
    func `mistakes are named with their place`(text: String, message: String) throws {
        #expect(try Self.problem(text).hasPrefix(message))
    }

    @Test func `bytes that are not UTF8 are named with their place`() throws {
        let bytes = Array("a: 1\nb: ".utf8) + [0xFF, 0x0A]
        let error = try #require(throws: ConfigurationError.self) { try YAMLDocument(parsing: bytes, file: "f.yaml") }
        #expect(error.description == "f.yaml:2:4: error: invalid leading UTF-8 octet; save the file as UTF-8")
    }

    @Test func `depth is bounded`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try Self.parse(nested(YAMLDocument.depthLimit)) }
        #expect(
            try Self.problem(nested(YAMLDocument.depthLimit + 1))
                == "f.yaml:1:33: error: is nested deeper than 32 levels")
    }

    @Test func `size is bounded`() throws {
        let limit = ConfigurationFile.sizeLimit
        #expect(throws: Never.self) { try Self.parse("#" + String(repeating: "x", count: limit - 1)) }
        #expect(
            try Self.problem("#" + String(repeating: "x", count: limit)).hasPrefix(
                "f.yaml: error: is larger than 1048576 bytes"))
    }

    /// libyaml's time for each of these grows with the square of the length; at this size it would be minutes.
    @Test(.timeLimit(.minutes(5)), arguments: ["[", "{", "- ", "? ", "&a [", "- - ", "[{"])
    func `hostile texts end at the first thing refused`(unit: String) throws {
        let text = String(repeating: unit, count: (1 << 20) / unit.utf8.count)
        #expect(throws: ConfigurationError.self) { try Self.parse(text) }
    }

    /// Every prefix and every single changed byte of a text gives a tree or an error with a place, and nothing worse.
    @Test func `damaged texts give a tree or an error`() throws {
        let text = Array("a: {b: [1, 'x'], c: \"\\u00e9\"}\nd:\n  - |\n    y\n  - &z !t *q\n".utf8)
        var variants = (0...text.count).map { Array(text[..<$0]) }
        for index in text.indices {
            for byte in Array("\0\t\n\"'#&*:[]{}|-!%@\\é".utf8) {
                var copy = text
                copy[index] = byte
                variants.append(copy)
            }
        }
        for variant in variants {
            do throws(ConfigurationError) {
                _ = try YAMLDocument(parsing: variant, file: "f.yaml")
            } catch {
                #expect(error.description.hasPrefix("f.yaml:"))
            }
        }
    }
}

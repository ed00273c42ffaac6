import TestSupport
import Testing

@testable import Common

/// A form means the same to the gateway and to every other reader, or it is refused.
@Suite struct FormBodyTests {
    static func part(_ disposition: String, _ content: String, headers: String = "") -> String {
        "Content-Disposition: form-data; \(disposition)\r\n\(headers)\r\n\(content)\r\n"
    }

    static func form(_ parts: String..., boundary: String = "b") -> String {
        parts.map { "--\(boundary)\r\n\($0)" }.joined() + "--\(boundary)--\r\n"
    }

    private static let file = part(
        #"name="file"; filename="a.wav""#, "RIFF\n--\r\n\u{0}", headers: "Content-Type: audio/wav\r\n")

    private static func read(
        _ body: String, _ type: String = "multipart/form-data; boundary=b"
    ) throws(GatewayError) -> RequestContent {
        try RequestContent(Array(body.utf8), contentType: type, maximumDepth: 8)
    }

    @Test(arguments: [
        ("first", form(part(#"name="model""#, "p/m"), file), "multipart/form-data; boundary=b"),
        ("last", form(file, part(#"name="model""#, "p/m")), "multipart/form-data; boundary=b"),
        ("name without quotes", form(part("name=model", "p/m")), "multipart/form-data; boundary=b"),
        (
            "mixed case", form("CONTENT-disposition:Form-Data;NAME=\"model\"\r\n\r\np/m\r\n"),
            "MultiPart/Form-Data; BOUNDARY=b"
        ),
        (
            "quoted boundary", form(part(#"name="model""#, "p/m")),
            #"multipart/form-data; charset=utf-8; boundary="b""#
        ),
        (
            "boundary of special characters", form(part(#"name="model""#, "p/m"), boundary: "'()+_,-./:=? b"),
            #"multipart/form-data; boundary="'()+_,-./:=? b""#
        ),
        (
            "further headers", form(part(#"name="model""#, "p/m", headers: "Content-Type: text/plain\r\nX: y\r\n")),
            "multipart/form-data;boundary=b"
        ),
        (
            "no line end behind", String(form(part(#"name="model""#, "p/m")).dropLast()),
            "multipart/form-data; boundary=b; "
        ),
        ("line end before", "\r\n" + form(part(#"name="model""#, "p/m")), "multipart/form-data; boundary=b"),
        ("urlencoded", "x=1&model=p%2Fm", "application/x-www-form-urlencoded"),
        ("urlencoded name", "%6dodel=p/m&&x", "Application/X-WWW-Form-Urlencoded; charset=utf-8"),
    ])
    func `a field is found in any place and any spelling`(
        name: String, body: String, type: String
    ) throws {
        #expect(try Self.read(body, type).text("model") == "p/m", "\(name)")
    }

    @Test(arguments: [
        ("field twice", form(part(#"name="model""#, "a"), part("name=model", "a"))),
        ("as a file", form(part(#"name="model"; filename="m""#, "a"))),
        ("as an encoded file", form(part(#"name="model"; filename*=utf-8''m"#, "a"))),
        ("encoded content", form(part(#"name="model""#, "YQ==", headers: "Content-Transfer-Encoding: BASE64\r\n"))),
        ("extended name", form(part(#"name*=utf-8''model"#, "a"))),
        ("two names", form(part(#"name="x"; name="model""#, "a"))),
        ("backslash in the name", form(part(#"name="mod\el""#, "a"))),
        ("quote behind a backslash", form(part(#"filename="a\"; name="model""#, "a"))),
        (
            "two dispositions",
            form(part(#"name="x""#, "a", headers: "Content-Disposition: form-data; name=\"model\"\r\n"))
        ),
        ("folded header", form("Content-Disposition: form-data;\r\n name=\"model\"\r\n\r\na\r\n")),
        ("bare line feeds", form(part(#"name="model""#, "a")).replacing("\r\n", with: "\n")),
        (
            "a line feed before a delimiter",
            form(part(#"name="x""#, "a\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nb"))
        ),
        ("spaces behind a delimiter", form(part(#"name="model""#, "a")).replacing("--b\r\n", with: "--b \r\n")),
        ("a longer line like a delimiter", form(part(#"name="model""#, "a\r\n--bc\r\nd"))),
        ("no closing delimiter", "--b\r\n" + part(#"name="model""#, "a")),
        ("parts behind the close", form(part(#"name="x""#, "a")) + form(part(#"name="model""#, "a"))),
        ("text before", "x\r\n" + form(part(#"name="model""#, "a"))),
        ("another boundary", form(part(#"name="model""#, "a"), boundary: "c")),
        ("no disposition", form("Content-Type: text/plain\r\n\r\na\r\n")),
        ("no empty line", form("Content-Disposition: form-data; name=\"model\"\r\n")),
        ("control characters", form(part(#"name="model""#, "a\nb"))),
        ("no form at all", "model=a"),
    ])
    func `what can be read in two ways, or in none, is refused`(name: String, body: String) {
        let error = #expect(throws: GatewayError.self, "\(name)") { _ = try Self.read(body).text("model") }
        #expect(error?.status == 400)
    }

    @Test(arguments: ["a;model=b", "model=a&model=b", "%zz=1", "model=%zz", "model=%ff", "model=%0A"])
    func `an urlencoded form in doubt is refused`(body: String) {
        let error = #expect(throws: GatewayError.self) {
            _ = try Self.read(body, "application/x-www-form-urlencoded").text("model")
        }
        #expect(error?.status == 400)
    }

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b; boundary=c",
    ])
    func `a form needs a boundary`(type: String) {
        #expect(throws: GatewayError.self) { try Self.read(Self.form(Self.part("name=model", "a")), type) }
    }

    @Test func `fields are counted`() throws {
        let parts = Array(repeating: "--b\r\n" + Self.part("name=x", ""), count: FormBody.mostFields).joined()
        _ = try Self.read(parts + "--b--")
        #expect(throws: GatewayError.self) { try Self.read(parts + "--b\r\n" + Self.part("name=x", "") + "--b--") }
        let items = Array(repeating: "x", count: FormBody.mostFields).joined(separator: "&")
        _ = try Self.read(items, "application/x-www-form-urlencoded")
        #expect(throws: GatewayError.self) { try Self.read(items + "&x", "application/x-www-form-urlencoded") }
    }

    @Test func `edits leave all other bytes`() throws {
        let body = Self.form(Self.file, Self.part(#"name="model""#, "p/m"), Self.part("name=api_key", "k"))
        guard case .form(let form) = try Self.read(body) else { Issue.record("no form"); return }
        var splice = FormSplice(form)
        try splice.set("model", to: "m")
        splice.remove("api_key")
        try splice.set("new", to: "v")
        let expected = Self.form(Self.file, Self.part(#"name="model""#, "m"), Self.part(#"name="new""#, "v"))
        #expect(String(decoding: splice.result(), as: UTF8.self) == expected)
        #expect(throws: GatewayError.self) { try splice.set("model", to: "--b--") }
    }

    @Test(arguments: [
        ("model=p%2Fm&a=%C3%A9+x&api_key=k", "model=m&a=%C3%A9+x&new=a%26b"), ("api_key=k", "model=m&new=a%26b"),
        ("model&api_key=k&a=1", "model=m&a=1&new=a%26b"),
    ])
    func `urlencoded edits`(body: String, expected: String) throws {
        guard case .form(let form) = try Self.read(body, "application/x-www-form-urlencoded") else {
            Issue.record("no form"); return
        }
        var splice = FormSplice(form)
        try splice.set("model", to: "m")
        splice.remove("api_key")
        try splice.set("new", to: "a&b")
        let result = String(decoding: splice.result(), as: UTF8.self)
        #expect(Set(result.split(separator: "&")) == Set(expected.split(separator: "&")))
        #expect(!result.contains("&&"))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `random forms: each field is found, and a change of one changes no other`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = ["a", "-", "\n", "\r", "d", " ", "=", "é", "--c", "\u{301}", "--"]
        let values = (0..<1 + random.below(6)).map { _ in
            (0..<random.below(40)).map { _ in random.pick(pieces) }.joined()
        }
        let parts = values.enumerated().map { "--b\r\n" + Self.part("name=f\($0)", $1) }
        guard case .form(let form) = try Self.read(parts.joined() + "--b--") else { Issue.record("no form"); return }
        #expect(form.fields.map(form.decoded) == values.map { Array($0.utf8) })
        var splice = FormSplice(form)
        try splice.set("f0", to: "changed")
        let changed = "--b\r\n" + Self.part("name=f0", "changed") + parts.dropFirst().joined() + "--b--"
        #expect(splice.result() == Array(changed.utf8))
    }
}

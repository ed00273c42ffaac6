import JSON
import Testing

@testable import Dashboard

struct TemplateTests {
    @Test func `all are read`() throws { _ = try Templates.compiled.get() }

    @Test(arguments: Templates.files.map(\.name)) func `all values are escaped and nothing is inline`(
        name: String
    ) throws {
        let bytes = try #require(Templates.files.first { $0.name == name }).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        for unescaped in ["{{{", "{{&"] { #expect(!text.contains(unescaped)) }
        for inline in ["style=", "<style", "javascript:", "http:", "https:"] { #expect(!text.contains(inline)) }
        #expect(text.firstMatch(of: /\son[a-z]+=/) == nil)
        // An attribute without quotes would end at a space.
        #expect(text.firstMatch(of: /\s[a-z-]+=\{\{/) == nil)
        for tag in text.matches(of: /<script[^>]*>/) { #expect(tag.output.contains(" src=\"/dashboard/assets/")) }
    }

    /// Text that the library's own escaping would let through: to Swift the quote and the mark are one character.
    @Test(arguments: [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\"\u{301} onclick=x", "&quot;\u{301} onclick=x"),
        ("<\u{200D}b>", "&lt;\u{200D}b&gt;"), ("a & 'b'", "a &amp; &#39;b&#39;"),
        ("\u{0}\u{1B}x\n\ty", "\u{FFFD}\u{FFFD}x\n\ty"),
        ("👩‍💻 שלום \u{202E}x", "👩‍💻 שלום \u{202E}x"), ("{{#page}}{{.}}", "{{#page}}{{.}}"),
    ])
    func `text stays text`(text: String, escaped: String) throws {
        #expect(HTMLText.escaped(text).utf8.elementsEqual(escaped.utf8))
        var view = FilterView(
            FilterForm(), path: "/x", links: Links(project: "p"), keys: [text], usual: nil, error: text)
        view.groupBy = text
        let html = String(decoding: Templates.render(view, with: "filters"), as: UTF8.self)
        #expect(html.utf8.firstRange(of: "<option value=\"metadata.\(escaped)\">".utf8) != nil)
        #expect(html.utf8.firstRange(of: "role=\"alert\">\(escaped)</p>".utf8) != nil)
    }

    @Test func `assets are kept for as long as they are the same`() throws {
        let assets = Assets()
        let current = try #require(assets.response("dashboard.css", query: "v=\(assets.version)"))
        #expect(current.headers.contains { $0.value.contains("immutable") })
        let other = try #require(assets.response("dashboard.css", query: "v=1"))
        #expect(other.headers.contains { $0.value == "no-cache" } && other.body == current.body)
        #expect(assets.response("../secrets.yaml", query: nil) == nil)
    }

    /// All that is fetched, loaded or sent goes to the gateway itself.
    @Test(arguments: ["dashboard.css", "dashboard.js"]) func `assets name no other place`(name: String) throws {
        let text = String(decoding: try #require(Assets().response(name, query: nil)).body, as: UTF8.self)
        for place in ["http:", "https:", "@import", "url(", "eval(", "innerHTML"] { #expect(!text.contains(place)) }
    }
}

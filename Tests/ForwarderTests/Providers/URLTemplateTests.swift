import Testing

@testable import Forwarder

@Suite struct URLTemplateTests {
    @Test(
        arguments: [
            ("https://x/v1", [:], "https://x/v1"),
            ("https://{R}.x", ["R": "eu"], "https://eu.x"),
            ("https://{R}.x", ["R": ""], nil),
            ("https://{R=us}.x", [:], "https://us.x"),
            ("https://{A|B=us}.x/{C}", ["B": "eu", "C": "p"], "https://eu.x/p"),
            ("https://{A|B=us}.x/{C}", ["A": "ap", "B": "eu", "C": "p"], "https://ap.x/p"),
        ] as [(String, [String: String], String?)])
    func filled(text: String, environment: [String: String], url: String?) throws {
        let template = try #require(URLTemplate(text))
        #expect((try? template.filled(from: environment)) == url)
    }

    @Test(arguments: ["evil.example/x", "a:1", "a@b", "a b", "é"])
    func `a value that would make another URL is refused`(value: String) throws {
        let template = try #require(URLTemplate("https://{R}.x"))
        #expect(throws: URLTemplate.Failure.unusable("R")) { try template.filled(from: ["R": value]) }
    }

    @Test(arguments: ["{", "a}", "{}", "{=x}", "https://{R"])
    func malformed(text: String) {
        #expect(URLTemplate(text) == nil)
    }
}

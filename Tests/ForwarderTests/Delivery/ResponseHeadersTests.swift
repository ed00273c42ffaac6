import Common
import Testing

@testable import Forwarder

@Suite struct ResponseHeadersTests {
    @Test(arguments: [
        "Content-Type", "retry-after", "Retry-After-Ms", "X-Should-Retry", "x-request-id",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-reset",
        "RateLimit-Limit", "openai-processing-ms", "OpenAI-Organization", "anthropic-organization-id",
        "x-litellm-call-id", "cf-ray",
    ])
    func `lets through what says how to read and to retry`(_ name: String) {
        #expect(ResponseHeaders.select(from: [HeaderField(name, "v")]) == [HeaderField(name, "v")])
    }

    @Test(arguments: [
        "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "proxy-authenticate",
        "trailer", "upgrade", "TE",
        "Set-Cookie", "Location", "server", "x-insertion-id", "x-openai-x", "Authorization",
        "Strict-Transport-Security", "", "content-type ",
    ])
    func `keeps the providers connection and host to itself`(_ name: String) {
        #expect(ResponseHeaders.select(from: [HeaderField(name, "v")]).isEmpty)
    }

    /// A redirection says where it leads, which tells the client what is wrong with a base URL.
    @Test(arguments: [(301, true), (308, true), (201, false), (400, false)])
    func `a redirection keeps its location`(_ status: Int, _ isShown: Bool) {
        let fields = [HeaderField("Location", "https://elsewhere.example/"), HeaderField("x-location", "no")]
        #expect(ResponseHeaders.select(from: fields, status: status) == (isShown ? [fields[0]] : []))
    }

    @Test func `keeps order and repetition`() {
        let fields = [HeaderField("x-request-id", "1"), HeaderField("warning", "a"), HeaderField("Warning", "b")]
        #expect(ResponseHeaders.select(from: fields) == fields)
    }
}

import Common
import Testing

@testable import Forwarder

@Suite struct AnswerHeadersTests {
    @Test(arguments: [
        "Content-Type", "retry-after", "Retry-After-Ms", "X-Should-Retry", "x-request-id", "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-reset",
        "RateLimit-Limit", "openai-processing-ms", "OpenAI-Organization", "anthropic-organization-id", "x-litellm-call-id", "cf-ray",
    ])
    func letsThroughWhatSaysHowToReadAndToRetry(_ name: String) {
        #expect(AnswerHeaders.select(from: [HeaderField(name, "v")]) == [HeaderField(name, "v")])
    }

    @Test(arguments: [
        "Content-Length", "Transfer-Encoding", "content-encoding", "Connection", "Keep-Alive", "proxy-authenticate", "trailer", "upgrade", "TE",
        "Set-Cookie", "Location", "server", "x-insertion-id", "x-openai-x", "Authorization", "Strict-Transport-Security", "", "content-type ",
    ])
    func keepsTheProvidersConnectionAndHostToItself(_ name: String) {
        #expect(AnswerHeaders.select(from: [HeaderField(name, "v")]).isEmpty)
    }

    @Test func keepsOrderAndRepetition() {
        let fields = [HeaderField("x-request-id", "1"), HeaderField("warning", "a"), HeaderField("Warning", "b")]
        #expect(AnswerHeaders.select(from: fields) == fields)
    }
}

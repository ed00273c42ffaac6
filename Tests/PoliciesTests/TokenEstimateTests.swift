import Testing

@testable import Common
@testable import Policies

/// What a request is charged with before its call.
@Suite struct TokenEstimateTests {
    private func estimate(_ body: String) -> TokenEstimate { TokenEstimate(body: Array(body.utf8)) }

    @Test func `the input is its text in fours`() {
        let text = String(repeating: "word", count: 100)
        #expect(estimate(#"{"messages":[{"role":"user","content":"\#(text)"}]}"#).input == 100)
        #expect(
            estimate(#"{"messages":[{"role":"user","content":[{"type":"text","text":"\#(text)"}]},{"content":"x"}]}"#)
                .input == 101)
        #expect(estimate(#"{"prompt":["\#(text)","\#(text)"],"input":"\#(text)"}"#).input == 300)
        // An escape is the text that it means, and a picture is none.
        #expect(estimate(#"{"messages":[{"content":"\u00e9\u00e9"}]}"#).input == 1)
        #expect(
            estimate(#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"\#(text)"}}]}]}"#).input == 0)
        #expect(estimate("not json").input == 0)
    }

    @Test func `the output is what the request bounds`() {
        #expect(estimate(#"{"max_completion_tokens":7,"max_tokens":9}"#).output == 7)
        #expect(estimate(#"{"max_tokens":9,"n":3}"#) == estimate(#"{"n":3,"max_tokens":9}"#))
        #expect(estimate(#"{"max_tokens":9,"n":3}"#).amount(of: .outputTokens, limit: 100, defaultOutput: 1) == 27)
        #expect(estimate(#"{"n":3}"#).amount(of: .outputTokens, limit: 10_000, defaultOutput: 1024) == 3072)
        #expect(
            estimate(#"{"max_tokens":null,"n":"3"}"#).amount(of: .tokens, limit: 10_000, defaultOutput: 1024) == 1024)
        #expect(
            estimate(#"{"max_tokens":9223372036854775807,"n":9223372036854775807}"#).amount(
                of: .tokens, limit: 50, defaultOutput: 1) == 50)
    }

    /// A first request is let in, however long its answer may be. One that is larger by itself never is.
    @Test func `what is counted fits the limit or never will`() {
        let body = #"{"messages":[{"content":"\#(String(repeating: "x", count: 800))"}]}"#
        #expect(estimate(body).amount(of: .tokens, limit: 200, defaultOutput: 1024) == 200)
        #expect(estimate(body).amount(of: .tokens, limit: 199, defaultOutput: 1024) == nil)
        #expect(estimate(body).amount(of: .inputTokens, limit: 199, defaultOutput: 1024) == nil)
        #expect(estimate(body).amount(of: .outputTokens, limit: 10, defaultOutput: 1024) == 10)
        #expect(estimate("{}").amount(of: .tokens, limit: 100, defaultOutput: 1024) == 100)
    }
}

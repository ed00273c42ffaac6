import Common
import Testing
import Upstream

@testable import Forwarder

/// Answers in whose log probabilities stand numbers that JSON does not have. The rest of them is read.
@Suite struct NonFiniteTests {
    @Test(arguments: ["NaN", "Infinity", "-Infinity"]) func `the usage behind them counts`(number: String) {
        let body =
            #"{"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"logprob":\#(number)}]},"finish_reason":"stop"}],"#
        var collector = ResponseCollector(head: UpstreamHead(status: 200))
        collector.take(
            Array((body + #""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#).utf8), at: .epoch)
        #expect(collector.usage?.input == 7 && collector.usage?.output == 5)
        #expect(collector.collected().finishReasons == ["stop"] && collector.collected().usage?.input == 7)
    }

    /// What stands before the content stays that, and an error is one.
    @Test(arguments: ["NaN", "-Infinity"]) func `the beginning of a stream is looked into`(number: String) {
        var preamble = Preamble(isChat: true, room: 1000)
        preamble.take(Array("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}],\"x\":\(number)}\n\n".utf8))
        #expect(preamble.finding == .undecided)
        preamble.take(
            Array("data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprobs\":{\"a\":\(number)}}]}\n\n".utf8))
        #expect(preamble.finding == .content)
    }
}

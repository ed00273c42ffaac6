import Foundation
import Testing

@testable import Common

@Suite struct GatewayErrorTests {
    private struct Answer: Decodable {
        struct Body: Decodable {
            var message: String
            var type: String
            var param: String?
            var code: String
        }
        var error: Body
        var detail: String
    }

    @Test(arguments: [
        "plain", "", "quotes \" and \\ and /", "lines\r\n\ttabs", "\u{0}\u{1}\u{1f}\u{7f}", "é 🙂 \u{2028}\u{2029}",
        "</script>", "{\"error\":{}}",
        String(repeating: "x", count: 100_000),
    ])
    func `is JSON in OpenAI's shape`(_ text: String) throws {
        let error = GatewayError(status: 400, type: text, code: "c" + text, message: text, param: text)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(error.json))
        #expect(answer.error.message == text && answer.error.type == text && answer.error.param == text)
        #expect(answer.error.code == "c" + text && answer.detail == text)
    }

    /// OpenAI's SDKs look for the member, whatever its value.
    @Test func `names param even where there is none`() {
        let error = GatewayError(status: 500, type: "t", code: "c", message: "m")
        #expect(
            String(decoding: error.json, as: UTF8.self)
                == #"{"error":{"message":"m","type":"t","param":null,"code":"c"},"detail":"m"}"#)
    }

    /// An event is one line of data, so that a client's parser cannot be led into another event.
    @Test func `is one server sent event`() {
        let event = String(
            decoding: GatewayError(status: 502, type: "t", code: "c", message: "a\n\ndata: [DONE]\r\r").serverSentEvent,
            as: UTF8.self)
        #expect(event.hasPrefix("data: {") && event.hasSuffix("}\n\n"))
        #expect(event.utf8.filter { $0 == 10 }.count == 2 && !event.utf8.contains(13))
    }

    @Test(arguments: [(Int.min, 1), (-1, 1), (0, 1), (1, 1), (30, 30), (60, 60), (61, 60), (.max, 60)])
    func `asks for at most a minute`(_ asked: Int, _ told: Int) {
        #expect(GatewayError(status: 429, type: "t", code: "c", message: "m", retryAfter: asked).retryAfter == told)
    }

    @Test func `a bad request is not to be retried`() {
        let error = GatewayError.invalidRequest(413, code: "c", "m", param: "p")
        #expect(
            error
                == GatewayError(
                    status: 413, type: "invalid_request_error", code: "c", message: "m", param: "p", shouldRetry: false)
        )
        #expect(error.retryAfter == nil)
    }
}

import TestSupport
import Testing

@testable import Forwarder

/// What counts as a success, and what as a failure, of an answer with a status of success.
@Suite struct CompletionCheckTests {
    /// An answer and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var answer: String
        var failure: CompletionFailure?

        var testDescription: String { name }

        init(_ name: String, answer: String, code: CompletionFailure.Code? = nil, message: String = "") {
            self.name = name
            self.answer = answer
            failure = code.map { CompletionFailure(code: $0, message: message) }
        }
    }

    private static func event(_ data: String, end: String = "\n") -> String { "data: \(data)\(end)\(end)" }
    private static func chunk(_ delta: String, finish: String = "null", index: Int = 0) -> String {
        event(#"{"id":"c","choices":[{"index":\#(index),"delta":\#(delta),"finish_reason":\#(finish)}]}"#)
    }

    private static let hello = chunk(#"{"content":"Hel"}"#)
    private static let stop = chunk("{}", finish: #""stop""#)
    private static let done = "data: [DONE]\n\n"
    private static let notDone = "The provider's stream ended without a finish reason and without [DONE]."

    private static let streams = [
        Case("a whole stream", answer: hello + stop + done),
        Case("no [DONE] behind the finish reason", answer: hello + stop),
        Case("no finish reason before [DONE]", answer: hello + done),
        Case("[DONE] without its last line ends", answer: hello + "data: [DONE]"),
        Case("a finish reason whose event has no blank line", answer: hello + stop.dropLast(2)),
        Case("carriage returns", answer: (hello + stop + done).replacing("\n", with: "\r\n")),
        Case("lone carriage returns", answer: (hello + stop + done).replacing("\n", with: "\r")),
        Case(
            "comments, blank lines and other fields",
            answer: ": ping\n\n\n\nid: 1\nretry: 5\n" + hello + ": ping\n\nevent: message\n" + stop + done),
        Case("a byte order mark", answer: "\u{FEFF}" + hello + done),
        Case("no space behind the colon", answer: (hello + stop).replacing("data: ", with: "data:")),
        Case("JSON over two lines of data", answer: hello.replacing(",", with: ",\ndata: ") + done),
        Case(
            "usage behind the end", answer: hello + stop + event(#"{"choices":[],"usage":{"total_tokens":1}}"#) + done),
        Case(
            "an error that is null",
            answer: event(#"{"error":null,"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#)),
        Case(
            "an error that is empty",
            answer: event(#"{"error":{},"choices":[{"error":"","delta":{"error":[]},"finish_reason":"stop"}]}"#)),
        Case(
            "a filter that did not run",
            answer: event(
                #"{"choices":[{"delta":{},"finish_reason":"stop","content_filter_result":{"error":{"code":"content_filter_error"}}}],"#
                    + #""prompt_filter_results":[{"content_filter_result":{"error":{"message":"not filtered"}}}]}"#)),
        Case(
            "an error in the model's own words",
            answer: chunk(#"{"content":"{\"error\":{\"message\":\"no\"}}","tool_calls":[{"error":"x"}]}"#) + done),
        Case("all choices finished", answer: hello + stop + chunk("{}", finish: #""length""#, index: 1)),
        Case(
            "NaN in the log-probabilities",
            answer: event(#"{"choices":[{"logprobs":{"x":NaN},"delta":{"content":"x"},"finish_reason":"stop"}]}"#)),
        Case("something behind [DONE]", answer: hello + stop + done + event(#"{"error":"late"}"#)),

        Case(
            "an error object behind a part", answer: hello + event(#"{"error":{"message":"engine died"}}"#),
            code: .streamError,
            message: "engine died"),
        Case(
            "an error before [DONE]", answer: hello + event(#"{"error":{"message":"engine died"}}"#) + done,
            code: .streamError,
            message: "engine died"),
        Case(
            "an error text", answer: hello + event(#"{"error":"engine died"}"#) + done, code: .streamError,
            message: "engine died"),
        Case(
            "an error behind the finish reason",
            answer: hello + stop + event(#"{"error":{"code":"oom","message":"died"}}"#),
            code: .streamError, message: "oom: died"),
        Case(
            "an error beside a choice",
            answer: event(#"{"choices":[{"delta":{"content":""},"finish_reason":null}],"error":{"message":"died"}}"#)
                + done,
            code: .streamError, message: "died"),
        Case(
            "a choice's error",
            answer: event(
                #"{"choices":[{"error":{"code":502,"message":"upstream"},"delta":{},"finish_reason":"error"}]}"#)
                + done,
            code: .streamError, message: "upstream"),
        Case(
            "an error in a delta", answer: chunk(#"{"content":"","error":{"message":"died"}}"#) + stop,
            code: .streamError, message: "died"),
        Case(
            "an error whose name is escaped", answer: hello + event(#"{"err\u006Fr":{"message":"died"}}"#) + done,
            code: .streamError,
            message: "died"),
        Case(
            "an event named error", answer: hello + "event: error\n" + event("it died") + done, code: .streamError,
            message: "The provider ended the stream with an error event."),
        Case(
            "Anthropic's error event",
            answer: hello + "event: error\n"
                + event(#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            code: .streamError, message: "overloaded_error: Overloaded"),
        Case(
            "a text that is typed as an error",
            answer: hello + event(#"{"object":"error","message":"died","code":500}"#) + done, code: .streamError,
            message: "died"),
        Case(
            "an error within a response",
            answer: hello + event(#"{"type":"response.failed","response":{"error":{"message":"died"}}}"#) + done,
            code: .streamError, message: "died"),
        Case(
            "an array of errors",
            answer: hello + event(#"[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#) + done,
            code: .streamError, message: "overloaded"),
        Case(
            "a list of errors", answer: hello + event(#"{"errors":[{"message":"died"}]}"#) + done, code: .streamError,
            message: "died"),
        Case(
            "an error that says only that it is one", answer: hello + event(#"{"error":true,"message":"died"}"#) + done,
            code: .streamError, message: "died"),
        Case(
            "the finish reason `error`", answer: hello + chunk("{}", finish: #""error""#) + done, code: .streamError,
            message: "The provider ended the answer with the finish reason `error`."),
        Case(
            "the finish reason `abort`", answer: hello + chunk("{}", finish: #""abort""#) + done, code: .streamError,
            message: "The provider ended the answer with the finish reason `abort`."),
        Case(
            "an error whose event has no blank line", answer: hello + #"data: {"error":{"message":"died"}}"#,
            code: .streamError,
            message: "died"),
        Case(
            "an error of a megabyte",
            answer: hello
                + event(#"{"choices":[{"delta":{"x":"\#(String(repeating: "x", count: 1 << 20))"}}],"error":"big"}"#),
            code: .streamError, message: "big"),

        Case("a part and no more", answer: hello, code: .streamTruncated, message: notDone),
        Case(
            "half an event", answer: hello + #"data: {"choices":[{"delta":{"content":"lo"},"fini"#,
            code: .streamTruncated, message: notDone),
        Case(
            "an empty finish reason", answer: hello + chunk("{}", finish: #""""#), code: .streamTruncated,
            message: notDone),
        Case(
            "one of two choices finished", answer: hello + chunk(#"{"content":"x"}"#, index: 1) + stop,
            code: .streamTruncated,
            message: notDone),
        Case(
            "[DONE] in the text", answer: chunk(#"{"content":"data: [DONE]"}"#), code: .streamTruncated,
            message: notDone),
        Case(
            "a remark and the end", answer: hello + event(#"{"detail":"worker lost"}"#), code: .streamTruncated,
            message: "worker lost"),
        Case(
            "comments alone", answer: ": ping\n\n: ping\n\n", code: .streamTruncated,
            message: "The provider's stream ended and held no part of a completion."),
        Case(
            "[DONE] alone", answer: done, code: .notACompletion,
            message: "The provider's stream ended and held no part of a completion."),
    ]

    private static let whole =
        #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#
    private static let noObject = "The provider's answer is not a JSON object."
    private static let noChoice = "The provider's answer holds no choice with a message."

    private static let bodies = [
        Case("a whole body", answer: whole),
        Case("white space around it", answer: "\n \r\n\t" + whole + "\n"),
        Case("a body without a finish reason", answer: #"{"choices":[{"message":{"content":"x"}}],"error":null}"#),
        Case("a body with NaN", answer: #"{"choices":[{"logprobs":[NaN,-Infinity],"message":{"content":"x"}}]}"#),
        Case(
            "an error in a tool's arguments",
            answer: #"{"choices":[{"message":{"tool_calls":[{"function":{"arguments":{"error":"x"}}}]}}]}"#),

        Case(
            "an error object", answer: #"{"error":{"message":"engine died","type":"server_error"}}"#,
            code: .answerError,
            message: "server_error: engine died"),
        Case(
            "an error text in a body", answer: #"{"error":"engine died"}"#, code: .answerError, message: "engine died"),
        Case(
            "an error beside the choices",
            answer: #"{"choices":[{"message":{"content":""}}],"error":{"message":"died"}}"#,
            code: .answerError, message: "died"),
        Case(
            "an error in a choice", answer: #"{"choices":[{"error":{"message":"died"},"message":{"content":""}}]}"#,
            code: .answerError, message: "died"),
        Case(
            "an error in a message", answer: #"{"choices":[{"message":{"content":null,"error":"died"}}]}"#,
            code: .answerError, message: "died"
        ),
        Case(
            "the second choice's error",
            answer: #"{"choices":[{"message":{"content":"x"}},{"message":{},"error":{"message":"died"}}]}"#,
            code: .answerError,
            message: "died"
        ),
        Case("an error in an array", answer: #"[{"error":{"message":"died"}}]"#, code: .answerError, message: "died"),
        Case(
            "Cloudflare's envelope",
            answer: #"{"result":null,"success":false,"errors":[{"code":7000,"message":"No route"}]}"#,
            code: .answerError, message: "No route"),
        Case(
            "an error without words", answer: #"{"error":{"code":null}}"#, code: .answerError,
            message: #"{"code":null}"#),
        Case(
            "vLLM's older error",
            answer: #"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#,
            code: .answerError, message: "too long"),
        Case(
            "a finish reason of failure", answer: #"{"choices":[{"message":{"content":""},"finish_reason":"error"}]}"#,
            code: .answerError,
            message: "The provider ended the answer with the finish reason `error`."),

        Case("nothing", answer: "", code: .emptyAnswer, message: "The provider's answer is empty."),
        Case("white space", answer: " \n\n ", code: .emptyAnswer, message: "The provider's answer is empty."),
        Case(
            "a page", answer: "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", code: .notACompletion,
            message: noObject),
        Case("a word", answer: "OK", code: .notACompletion, message: noObject),
        Case("null", answer: "null", code: .notACompletion, message: noObject),
        Case("an array", answer: "[]", code: .notACompletion, message: noObject),
        Case("half a body", answer: String(whole.dropLast(20)), code: .notACompletion, message: noObject),
        Case("two bodies", answer: whole + whole, code: .notACompletion, message: noObject),
        Case("an empty object", answer: "{}", code: .notACompletion, message: noChoice),
        Case(
            "a refusal in other words", answer: #"{"detail":"Not Found"}"#, code: .notACompletion, message: "Not Found"),
        Case("no choice", answer: #"{"id":"c","choices":[]}"#, code: .notACompletion, message: noChoice),
        Case("choices that are null", answer: #"{"choices":null}"#, code: .notACompletion, message: noChoice),
        Case(
            "a choice without a message", answer: #"{"choices":[{"index":0,"finish_reason":"stop"}]}"#,
            code: .notACompletion,
            message: noChoice),
    ]

    private func failure(of pieces: [[UInt8]]) -> CompletionFailure? {
        var check = CompletionCheck()
        for piece in pieces { check.take(piece) }
        return check.end()
    }

    @Test(arguments: streams + bodies) func `an answer is judged as a reader takes it`(_ answer: Case) {
        #expect(failure(of: [Array(answer.answer.utf8)]) == answer.failure)
    }

    @Test(arguments: streams + bodies) func `the cuts of an answer change nothing`(_ answer: Case) {
        let bytes = Array(answer.answer.utf8)
        if bytes.count < 2000 { #expect(failure(of: bytes.map { [$0] }) == answer.failure, "byte by byte") }
        var random = SeededRandom(seed: UInt64(bytes.count))
        for round in 0..<20 {
            let cuts = Set((0..<3).map { _ in random.below(bytes.count + 1) } + [0, bytes.count]).sorted()
            #expect(
                failure(of: zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }) == answer.failure,
                "round \(round): \(cuts)")
        }
    }

    @Test(arguments: [
        ("finished", hello + stop, 1, true), ("finished, of two that were asked for", hello + stop, 2, false),
        ("begun", hello, 1, false),
        ("[DONE]", hello + done, 1, true), ("failed", hello + event(#"{"error":"x"}"#) + stop, 1, false),
        ("a failure as the finish reason", hello + chunk("{}", finish: #""error""#), 1, false),
        ("blank lines before it", "\n\n\r\n" + hello + stop, 1, true), ("no stream", whole, 1, false),
    ])
    func `a stream is whole once each choice is finished`(
        _ name: String, _ answer: String, _ choices: Int, _ isWhole: Bool
    ) {
        let bytes = Array(answer.utf8)
        var check = CompletionCheck()
        for byte in bytes { check.take([byte]) }
        #expect(check.isWhole(within: bytes.count, choices: choices) == isWhole)
        #expect(
            !check.isWhole(within: bytes.count - 3, choices: choices), "a client that lacks the last line has not all")
    }

    /// A text that never ends is looked at once, and nothing of it is kept.
    @Test func `a long answer is read in linear time`() {
        var check = CompletionCheck()
        let blank = [UInt8](repeating: UInt8(ascii: "\n"), count: 1 << 16)
        for _ in 0..<64 { check.take(blank) }
        check.take(Array("data: {\"a\":".utf8))
        for _ in 0..<16 { check.take([UInt8](repeating: UInt8(ascii: "["), count: 1 << 16)) }
        #expect(check.end()?.code == .streamTruncated)
    }
}

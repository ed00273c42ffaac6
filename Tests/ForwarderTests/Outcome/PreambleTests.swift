import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// What comes before the first content of an answer, and what is an error before it.
@Suite struct PreambleTests {
    private static let role =
        #"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
    private static let limited: Preamble.Finding = .failed([.streamError, .status(429)])

    @Test(arguments: [
        (": keepalive", Preamble.Finding.undecided), (role, .undecided),
        ("event: ping\ndata: {\"type\": \"ping\"}", .undecided),
        (#"data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#, .undecided),
        (#"event: message_start\#ndata: {"type":"message_start","message":{"content":[]}}"#, .undecided),
        (#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#, .undecided),
        (#"data: {"type":"response.created","response":{"error":null}}"#, .undecided), ("data: [DONE]", .undecided),
        (#"data: {"choices":[{"delta":{"content":" "}}]}"#, .content),
        (#"data: {"choices":[{"delta":{"reasoning_content":"a"}}]}"#, .content),
        (#"data: {"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, .content),
        (#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#, .content),
        (#"data: {"choices":[{"index":0,"text":"a","logprobs":null}]}"#, .content),
        (#"data: {"choices":[{"index":0,"text":"","logprobs":null}]}"#, .undecided),
        (#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#, .content),
        (
            #"data: {"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            .content
        ),
        (#"data: {"type":"response.output_text.delta","delta":"a"}"#, .content), ("data: plain", .content),
        (#"data: {"error":{"message":"busy","code":429}}"#, limited), (#"data: {"error":{"code":"429"}}"#, limited),
        (#"data: {"error":{"code":"rate_limit_exceeded"}}"#, limited),
        (#"data: {"error":"busy"}"#, .failed([.streamError])),
        (
            #"event: error\#ndata: {"type":"error","error":{"type":"overloaded_error"}}"#,
            .failed([.streamError, .status(529)])
        ),
        (#"event: error\#ndata: busy"#, .failed([.streamError])),
        (#"data: {"choices":[{"delta":{},"finish_reason":"error"}]}"#, .failed([.streamError])),
        (
            #"data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}"#,
            .failed([.streamError, .status(500)])
        ),
    ])
    func `an event is content or not`(event: String, finding: Preamble.Finding) {
        let text = Array("\(Self.role)\n\n\(event)\n\n".utf8)
        for size in [1, 7, text.count] {
            var preamble = Preamble(isChat: true, room: 1 << 16)
            for start in stride(from: 0, to: text.count, by: size) {
                preamble.take(Array(text[start..<min(start + size, text.count)]))
            }
            #expect(preamble.finding == finding, "in pieces of \(size)")
            #expect(preamble.isHeld == (finding == .undecided))
        }
    }

    @Test(arguments: [
        (#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#, Preamble.Finding.content),
        (#" {"error":{"message":"busy","type":"rate_limit_error"}}"#, .failed([.errorInSuccess, .status(429)])),
        (#"{"error":"busy"}"#, .failed([.errorInSuccess])), ("{", .failed([.errorInSuccess])),
        // An error, and then a stream that a lenient reader takes for the answer.
        (
            #"{"error":{"code":500}},"# + "\n\ndata: "
                + #"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n",
            .failed([.errorInSuccess, .status(500)])
        ),
        ("", .failed([.streamError])),
        ("data: [DONE]\n\n", .failed([.streamError])), (role + "\n\n", .failed([.streamError])),
    ])
    func `the end tells`(answer: String, finding: Preamble.Finding) {
        var preamble = Preamble(isChat: true, room: 1 << 16)
        preamble.take(Array(answer.utf8))
        #expect(preamble.finding == .undecided && preamble.isHeld)
        preamble.end()
        #expect(preamble.finding == finding)
    }

    /// A tool's schema and the model's own words may hold an `error`.
    @Test(arguments: [
        (#"{"data":[]}"#, Preamble.Finding.content),
        (#"{"error":{"code":503}}"#, .failed([.errorInSuccess, .status(503)])),
        (
            #"{"object":"response","error":null,"tools":[{"parameters":{"properties":{"error":{"type":"string"}}}}]}"#,
            .content
        ),
        (#"{"type":"message","content":[{"type":"tool_use","input":{"error":"disk full","errors":[1]}}]}"#, .content),
        (#"{"type":"error","error":{"type":"overloaded_error"}}"#, .failed([.errorInSuccess, .status(529)])),
        ("[{\"error\":1}", .content),
    ])
    func `an answer of another API is an error by its word`(answer: String, finding: Preamble.Finding) {
        var preamble = Preamble(isChat: false, room: 1 << 16)
        preamble.take(Array(answer.utf8))
        preamble.end()
        #expect(preamble.finding == finding)
    }

    @Test(arguments: [
        (
            #"{"type":"response.created","response":{"tools":[{"parameters":{"properties":{"error":{"a":1}}}}]}}"#,
            Preamble.Finding.undecided
        ),
        (
            #"{"type":"response.failed","response":{"error":{"code":"server_error"}}}"#,
            .failed([.streamError, .status(500)])
        ),
    ])
    func `an event of another API is an error by its word`(event: String, finding: Preamble.Finding) {
        var preamble = Preamble(isChat: false, room: 1 << 16)
        preamble.take(Array("data: \(event)\n\n".utf8))
        #expect(preamble.finding == finding)
    }

    /// Azure reports a filter that did not run so, before the first choice.
    @Test func `a filter that did not run is no error`() {
        let chunk = #"data: {"choices":[],"prompt_filter_results":[{"content_filter_results":{"error":{"code":"x"}}}]}"#
        var preamble = Preamble(isChat: true, room: 1 << 16)
        preamble.take(Array((chunk + "\n\n").utf8))
        #expect(preamble.finding == .undecided)
        var check = CompletionCheck()
        let rest = #"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#
        check.take(Array((chunk + "\n\n" + rest + "\n\ndata: [DONE]\n\n").utf8))
        #expect(check.end() == nil)
    }

    /// HTML standard §9.2.5: it may stand before the first line alone.
    @Test func `a byte order mark belongs to the stream's first line`() {
        let text = Array("\u{FEFF}data: {\"error\":{\"code\":429}}\n\n".utf8)
        for place in text.indices {
            var preamble = Preamble(isChat: true, room: 1 << 16)
            preamble.take(Array(text[..<place]))
            preamble.take(Array(text[place...]))
            #expect(preamble.finding == Self.limited, "cut behind \(place) bytes")
        }
        var later = Preamble(isChat: true, room: 1 << 16)
        later.take(Array(": ping\n".utf8) + text)
        #expect(later.finding == .undecided)
    }

    @Test func `what is held is bounded`() {
        var stream = Preamble(isChat: true, room: 10)
        stream.take(Array(": 1234567\n".utf8))
        #expect(stream.isHeld)
        stream.take([10])
        #expect(!stream.isHeld && stream.finding == .undecided, "the first content is looked for all the same")
        var endless = Preamble(isChat: false, room: 10)
        endless.take(Array("data: 123456".utf8))
        #expect(endless.finding == .undecided)
        endless.take(Array("7890123".utf8))
        #expect(endless.finding == .content, "one event is not kept beyond the bound")
        var late = Preamble(isChat: true, room: 10)
        late.isDue()
        #expect(!late.isHeld && late.finding == .undecided)
    }

    @Test(arguments: [
        ("text/event-stream", false, true), ("application/json; charset=utf-8", false, true),
        ("audio/mpeg", false, false),
        ("application/octet-stream", true, false), ("text/plain", true, true), ("text/plain", false, false),
    ])
    func `only text is looked into`(type: String, isStream: Bool, isReadable: Bool) {
        let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", type)])
        #expect(Preamble.isReadable(head, isStream: isStream) == isReadable)
    }
}

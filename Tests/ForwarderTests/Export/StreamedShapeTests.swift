import Common
import Foundation
import Testing

@testable import Forwarder

/// What providers stream beyond OpenAI's plain text, as they stream it.
@Suite struct StreamedShapeTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let deltas: [String]
        /// The message's members beside its role and content.
        let message: String

        init(_ name: String, deltas: [String], message: String) {
            (testDescription, self.deltas, self.message) = (name, deltas, message)
        }
    }

    private static func answer(_ events: [String]) -> CollectedResponse {
        var collector = StreamCollector()
        for event in events { collector.take(Array("data: \(event)\n\n".utf8)) }
        return collector.collected()
    }

    private static func event(_ delta: String) -> String {
        #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":null}]}"#
    }

    @Test(arguments: shapes + calls) func `a shape is put together`(shape: Shape) throws {
        let answer = Self.answer(shape.deltas.map(Self.event))
        let output = answer.output.map(\.text).joined()
        let wanted =
            #"{"role":"assistant",\#(shape.message.contains(#""content":"#) ? "" : #""content":null,"#)\#(shape.message)}"#
        #expect(try JSONSample.read(output) == JSONSample.read(wanted), "\(output)")
        #expect(answer.note == nil)
    }

    private static let shapes = [
        Shape(
            "audio: id repeated, data and transcript in parts",
            deltas: [
                #"{"audio":{"id":"a1","transcript":"Hel"}}"#, #"{"audio":{"id":"a1","transcript":"lo"}}"#,
                #"{"audio":{"id":"a1","data":"QUJD"}}"#,
                #"{"audio":{"data":"REVG"}}"#, #"{"audio":{"expires_at":1}}"#, #"{"audio":{"expires_at":2}}"#,
            ], message: #""audio":{"id":"a1","transcript":"Hello","data":"QUJDREVG","expires_at":2}"#),
        Shape(
            "images in events of their own",
            deltas: [
                #"{"content":"a","images":[{"type":"image_url","image_url":{"url":"data:1"},"index":0}]}"#,
                #"{"content":"b","images":[{"type":"image_url","image_url":{"url":"data:2"},"index":1}]}"#,
            ],
            message:
                #""content":"ab","images":[{"type":"image_url","image_url":{"url":"data:1"},"index":0},{"type":"image_url","image_url":{"url":"data:2"},"index":1}]"#
        ),
        Shape(
            "images that all have the index 0",
            deltas: [
                #"{"images":[{"image_url":{"url":"data:1"},"index":0}]}"#,
                #"{"images":[{"image_url":{"url":"data:2"},"index":0}]}"#,
            ],
            message: #""images":[{"image_url":{"url":"data:1"},"index":0},{"image_url":{"url":"data:2"},"index":0}]"#),
        Shape(
            "an image that is repeated",
            deltas: [
                #"{"images":[{"image_url":{"url":"data:1"},"index":0}]}"#,
                #"{"images":[{"image_url":{"url":"data:1"},"index":0}]}"#,
            ],
            message: #""images":[{"image_url":{"url":"data:1"},"index":0}]"#),
        Shape(
            "annotations are appended",
            deltas: [
                #"{"annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]}"#,
                #"{"annotations":[{"type":"url_citation","url_citation":{"url":"v"}}]}"#,
            ],
            message:
                #""annotations":[{"type":"url_citation","url_citation":{"url":"u"}},{"type":"url_citation","url_citation":{"url":"v"}}]"#
        ),
        Shape(
            "reasoning details: type and format repeated, text in parts, then a signature",
            deltas: [
                #"{"reasoning":"th","reasoning_details":[{"type":"reasoning.text","text":"th","format":"anthropic-claude-v1","index":0}]}"#,
                #"{"reasoning":"ink","reasoning_details":[{"type":"reasoning.text","text":"ink","format":"anthropic-claude-v1","index":0}]}"#,
                #"{"reasoning_details":[{"type":"reasoning.text","signature":"SIG","format":"anthropic-claude-v1","index":0}]}"#,
            ],
            message:
                #""reasoning":"think","reasoning_details":[{"type":"reasoning.text","text":"think","format":"anthropic-claude-v1","index":0,"signature":"SIG"}]"#
        ),
        Shape(
            "reasoning details of two types under one index",
            deltas: [
                #"{"reasoning_details":[{"type":"reasoning.summary","summary":"a","id":null,"index":0}]}"#,
                #"{"reasoning_details":[{"type":"reasoning.encrypted","data":"X","id":"rs_1","index":0}]}"#,
            ],
            message:
                #""reasoning_details":[{"type":"reasoning.summary","summary":"a","id":null,"index":0},{"type":"reasoning.encrypted","data":"X","id":"rs_1","index":0}]"#
        ),
        Shape(
            "elements in another order than their index's",
            deltas: [
                #"{"x":[{"index":1,"t":"b"}]}"#, #"{"x":[{"index":0,"t":"a"}]}"#, #"{"x":[{"index":1,"t":"B"}]}"#,
            ],
            message: #""x":[{"index":0,"t":"a"},{"index":1,"t":"bB"}]"#),
        Shape(
            "thinking blocks without an index, each up to its signature",
            deltas: [
                #"{"thinking_blocks":[{"type":"thinking","thinking":"a","signature":null}]}"#,
                #"{"thinking_blocks":[{"type":"thinking","thinking":"b"}]}"#,
                #"{"thinking_blocks":[{"type":"thinking","thinking":"","signature":"S"}]}"#,
                #"{"thinking_blocks":[{"type":"thinking","thinking":"c"}]}"#,
                #"{"thinking_blocks":[{"type":"redacted_thinking","data":"x"}]}"#,
            ],
            message:
                #""thinking_blocks":[{"type":"thinking","thinking":"ab","signature":"S"},{"type":"thinking","thinking":"c"},{"type":"redacted_thinking","data":"x"}]"#
        ),
        Shape(
            "a content of thoughts in parts, then text",
            deltas: [
                #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}"#,
                #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"b"}]}]}"#, #"{"content":"x"}"#,
                #"{"content":"y"}"#,
            ],
            message:
                #""content":[{"type":"thinking","thinking":[{"type":"text","text":"ab"}]},{"type":"text","text":"xy"}]"#
        ),
        Shape(
            "a thought's signature beside the message",
            deltas: [
                #"{"content":"a","extra_content":{"google":{"thought":true}}}"#,
                #"{"content":"b","extra_content":{"google":{"thought_signature":"S"}}}"#,
            ],
            message: #""content":"ab","extra_content":{"google":{"thought":true,"thought_signature":"S"}}"#),
        Shape(
            "fields of a provider",
            deltas: [
                #"{"provider_specific_fields":null}"#, #"{"provider_specific_fields":{"a":"1","l":[1]}}"#,
                #"{"provider_specific_fields":{"a":"2","l":[2]}}"#,
            ],
            message: #""provider_specific_fields":{"a":"12","l":[1,2]}"#),
        Shape(
            "null takes nothing away",
            deltas: [
                #"{"x":null,"y":{"a":"b"},"z":1}"#, #"{"x":"a","y":null,"z":null}"#, #"{"x":null,"y":{"a":null}}"#,
            ],
            message: #""x":"a","y":{"a":"b"},"z":1"#),
        Shape(
            "the last number stands", deltas: [#"{"x":1,"y":false}"#, #"{"x":2.50,"y":true}"#],
            message: #""x":2.50,"y":true"#),
        Shape(
            "a member's name with an escape", deltas: [#"{"a\u0062":"x"}"#, #"{"a\u0062":"y"}"#], message: #""ab":"xy""#
        ),
        Shape(
            "the older function call",
            deltas: [#"{"function_call":{"name":"f","arguments":""}}"#, #"{"function_call":{"arguments":"{}"}}"#],
            message: #""function_call":{"name":"f","arguments":"{}"}"#),
    ]

    private static let calls = [
        Shape(
            "a custom tool's call",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"sh","input":""}}]}"#,
                #"{"tool_calls":[{"index":0,"custom":{"input":"l"}}]}"#,
                #"{"tool_calls":[{"index":0,"custom":{"input":"s"}}]}"#,
            ],
            message: #""tool_calls":[{"id":"c","type":"custom","custom":{"name":"sh","input":"ls"}}]"#),
        Shape(
            "a custom tool's call without a type",
            deltas: [#"{"tool_calls":[{"index":0,"custom":{"name":"sh","input":"ls"}}]}"#],
            message: #""tool_calls":[{"type":"custom","custom":{"name":"sh","input":"ls"}}]"#),
        Shape(
            "two whole calls without ids under the index 0",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":1}"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":2}"}}]}"#,
            ],
            message:
                #""tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"type":"function","function":{"name":"f","arguments":"{\"a\":2}"}}]"#
        ),
        Shape(
            "two whole calls without ids in one event",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}},{"index":0,"function":{"name":"g","arguments":"{}"}}]}"#
            ],
            message:
                #""tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}},{"type":"function","function":{"name":"g","arguments":"{}"}}]"#
        ),
        Shape(
            "two whole calls with empty ids",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
                #"{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
            ],
            message:
                #""tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]"#
        ),
        Shape(
            "two whole calls without arguments, of other names",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"g","arguments":""}}]}"#,
            ],
            message:
                #""tool_calls":[{"type":"function","function":{"name":"f","arguments":""}},{"type":"function","function":{"name":"g","arguments":""}}]"#
        ),
        Shape(
            "two calls in parts without ids, each begun by its name",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":\"}\""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}"#,
            ],
            message:
                #""tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":\"}\"}"}},{"type":"function","function":{"name":"f","arguments":"{}"}}]"#
        ),
        Shape(
            "a name repeated in each event, without an id",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]}"#,
            ],
            message: #""tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]"#),
        Shape(
            "an id that is another in each event",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}"#,
                #"{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"arguments":"}"}}]}"#,
            ],
            message: #""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]"#),
        Shape(
            "a name in parts",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"weather"}}]}"#,
            ],
            message: #""tool_calls":[{"id":"a","type":"function","function":{"name":"get_weather"}}]"#),
        Shape(
            "a name in parts beside empty arguments, told apart by the id",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":""}}]}"#,
            ],
            message:
                #""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}},{"id":"b","type":"function","function":{"name":"f","arguments":""}}]"#
        ),
        Shape(
            "a thought's signature within a call",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","type":"function","extra_content":{"google":{"thought_signature":"S"}},"function":{"name":"f","arguments":"{}"}}]}"#
            ],
            message:
                #""tool_calls":[{"id":"a","type":"function","extra_content":{"google":{"thought_signature":"S"}},"function":{"name":"f","arguments":"{}"}}]"#
        ),
        Shape(
            "arguments that are an object",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":{"a":[1]}}}]}"#
            ],
            message: #""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{"a":[1]}}}]"#),
        Shape(
            "quotes of arguments escaped by their number",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\u0022a\u0022:\u0022{\u0022}"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}"#,
            ],
            message:
                #""tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":\"{\"}"}},{"type":"function","function":{"name":"f","arguments":"{}"}}]"#
        ),
    ]

    /// What a choice says beside its message stands behind the message's members.
    @Test func `log probabilities are kept in both forms`() throws {
        let tokens = [
            #"{"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[]}"#,
            #"{"token":"b","logprob":-1e-3,"bytes":[98],"top_logprobs":[]}"#,
        ]
        let stream = Self.answer([
            #"{"choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"logprobs":{"content":[\#(tokens[0])],"refusal":null},"finish_reason":null}]}"#,
            #"{"choices":[{"index":0,"logprobs":{"content":[\#(tokens[1])],"refusal":null},"delta":{"content":"b"}}]}"#,
            #"{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":null,"native_finish_reason":"end"}]}"#,
        ])
        let wanted =
            #"{"role":"assistant","content":"ab","logprobs":{"content":[\#(tokens.joined(separator: ","))],"refusal":null},"native_finish_reason":"end"}"#
        #expect(stream.output.map(\.text).joined() == wanted)
        let logprobs = #""logprobs":{"content":[\#(tokens.joined(separator: ","))],"refusal":null}"#
        let whole =
            #"{"choices":[{"index":0,\#(logprobs),"message":{"role":"assistant","content":"ab"},"finish_reason":"stop","stop_reason":null,"native_finish_reason":"end"}]}"#
        #expect(try SpanSample.span(answer: whole).output == wanted)
    }

    @Test func `statements beside a message are not joined`() {
        func beside(_ severity: String) -> String {
            #""content_filter_results":{"hate":{"filtered":false,"severity":"\#(severity)"}},"note":"n""#
        }
        var events: [String] = []
        for severity in ["safe", "safe", "low"] {
            events.append(#"{"choices":[{"index":0,"delta":{"content":"x"},\#(beside(severity))}]}"#)
        }
        #expect(
            Self.answer(events).output.map(\.text).joined()
                == #"{"role":"assistant","content":"xxx",\#(beside("low"))}"#)
    }

    private static let wholes: [(event: String, output: String)] = [
        (
            #"{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#,
            #"{"role":"assistant","content":"x"}"#
        ),
        (
            #"{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"note":1}]}"#,
            #"{"role":"assistant","content":"x","note":1}"#
        ),
        (
            #"{"choices":[{"index":0,"message":{"content":"so far"},"delta":{"content":"x"}}]}"#,
            #"{"role":"assistant","content":"x"}"#
        ),
    ]

    @Test(arguments: wholes) func `a whole message in a stream counts without deltas`(event: String, output: String) {
        #expect(Self.answer([event]).output.map(\.text).joined() == output)
    }

    @Test func `members beside the choices are metadata`() throws {
        let more = #""system_fingerprint":"fp","citations":["a","b"],"search_results":null"#
        let stream =
            #"data: {"id":"c","object":"x","created":1,"obfuscation":"zz","choices":[{"index":0,"delta":{"content":"x"}}],"citations":["a"]}"#
            + "\n\ndata: {\"choices\":[],\(more)}\n\ndata: [DONE]\n\n"
        let spans = [
            try SpanSample.span(type: "text/event-stream", answer: [Array(stream.utf8)]),
            try SpanSample.span(answer: #"{"id":"c","created":2,"choices":[{"message":{"content":"x"}}],\#(more)}"#),
        ]
        for span in spans {
            let response = try JSONSample.read(#require(span.string("langfuse.observation.metadata.response")))
            #expect(try response == JSONSample.read(#"{"system_fingerprint":"fp","citations":["a","b"]}"#))
            #expect(span.level == nil)
        }
        #expect(try SpanSample.span(answer: "{}").string("langfuse.observation.metadata.response") == nil)
    }
}

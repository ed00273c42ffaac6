import Common
import Foundation
import TestSupport
import Testing

@testable import Forwarder

/// What could not be understood of an answer is told, and what can be read of it is read.
@Suite struct ResponseFormTests {
    private static let event =
        #"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#
        + "\n\n"
    private static let body =
        #"{"choices":[{"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#
    private static let output = #"{"role":"assistant","content":"x"}"#

    private static let wrong: [(label: String, answer: String)] = [
        ("application/json", event), ("", event), ("text/plain; charset=utf-8", event),
        ("application/json", ": ping\n\n" + event),
        ("application/json", "\u{FEFF}" + event), ("application/json", "\r\n\n" + event),
        ("application/json", "event: message\nid: 1\nretry: 5\n" + event),
        ("application/octet-stream", "data\n\n" + event), ("text/event-stream", body),
        ("text/event-stream;charset=utf-8", "\n " + body),
        ("text/event-stream", "\u{FEFF}" + body),
    ]

    @Test(arguments: wrong) func `a wrong label hides nothing`(label: String, answer: String) throws {
        var random = SeededRandom(seed: 5)
        for pieces in [[Array(answer.utf8)], answer.utf8.map { [$0] }, Array(answer.utf8).cut(using: &random)] {
            let span = try SpanSample.span(type: label, answer: pieces)
            #expect(span.output == Self.output)
            #expect(span.integer("gen_ai.usage.output_tokens") == "2")
            #expect(span.strings("gen_ai.response.finish_reasons") == ["stop"])
            #expect(span.level == "WARNING")
            #expect(
                span.message?.contains("its content type is \(label.isEmpty ? "missing" : label)") == true,
                "\(span.message ?? "")")
            #expect(span.statusCode == 1)
        }
    }

    private static let right: [(label: String, answer: String)] = [
        ("text/event-stream", event), ("Text/Event-Stream; charset=utf-8", event), ("application/json", body),
        ("", body),
        ("application/json", " \n" + body),
        ("text/event-stream", "\n: keep-alive\n\n" + event),
    ]

    @Test(arguments: right) func `a right label is no matter`(label: String, answer: String) throws {
        let span = try SpanSample.span(type: label, answer: [Array(answer.utf8)])
        #expect(span.output == Self.output)
        #expect(span.level == nil, "\(span.message ?? "")")
    }

    @Test(arguments: [
        "<html>data: </html>", "error: no", "dat", "data", "identity: x", "retry later", "event", "d", "eventually: x",
    ])
    func `a text is no stream`(text: String) throws {
        let span = try SpanSample.span(type: "text/plain", answer: text.utf8.map { [$0] })
        #expect(span.output.map { Array($0.utf8) } == Array(text.utf8))
        #expect(span.message == "The provider's answer is not a JSON object.")
    }

    private static let hidden: [String] = [
        "Warning: slow\n\n" + event, "<!-- x -->\r\n" + event, String(body.prefix(20)) + "\n" + event,
    ]

    @Test(arguments: hidden, ["application/x-ndjson", "text/event-stream"]) func `events within a text are found`(
        text: String, label: String
    ) throws {
        let span = try SpanSample.span(type: label, answer: [Array(text.utf8)])
        #expect(span.output == Self.output)
        #expect(span.integer("gen_ai.usage.output_tokens") == "2")
        #expect(span.level == "WARNING")
        #expect(span.message?.contains("the events that stand in it are shown") == true)
    }

    /// A stream of bare objects is shown as far as it can be read, and no reader of the API takes it for an answer.
    @Test(arguments: [
        #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"# + "\n" + String(event.dropFirst(6)),
        String(event.dropFirst(6).dropLast(2)) + "\n{broken",
    ])
    func `bare objects are shown`(text: String) throws {
        let span = try SpanSample.span(type: "application/x-ndjson", answer: [Array(text.utf8)])
        #expect(span.output == Self.output)
        #expect(span.integer("gen_ai.usage.output_tokens") == "2")
        #expect(span.level == "ERROR")
        #expect(span.message == "The provider's answer is not a JSON object.")
    }

    @Test(arguments: ["[1]", "\"text\"", "7", " null"]) func `what is no object is shown`(text: String) throws {
        let span = try SpanSample.span(answer: text)
        #expect(span.output == text)
        #expect(span.message == "The provider's answer is not a JSON object.")
    }

    @Test(arguments: ["", " \n\r\t"]) func `an empty answer is said to be so`(text: String) throws {
        let span = try SpanSample.span(answer: [Array(text.utf8)])
        #expect(span.message == "The provider's answer is empty.")
        #expect(span.output == nil)
    }

    private static let repairs: [(name: String, bad: [UInt8], good: String, said: String)] = [
        ("NaN", Array(#""x":NaN"#.utf8), #""x":"NaN""#, "NaN"),
        ("Infinity", Array(#""x":[1, Infinity]"#.utf8), #""x":[1,"Infinity"]"#, "NaN"),
        ("-Infinity", Array(#""x":{"y":-Infinity}"#.utf8), #""x":{"y":"-Infinity"}"#, "NaN"),
        (
            "a text that says NaN", Array(#""x":"NaN \" Infinity","y":NaN"#.utf8), #""x":"NaN \" Infinity","y":"NaN""#,
            "NaN"
        ),
        ("a lone byte", Array(#""x":"a"#.utf8) + [0xFF] + Array(#"b""#.utf8), #""x":"a\#u{FFFD}b""#, "UTF-8"),
        (
            "half of a character", Array(#""x":"a"#.utf8) + [0xE2, 0x82] + Array(#"""#.utf8), #""x":"a\#u{FFFD}""#,
            "UTF-8"
        ),
        (
            "a surrogate", Array(#""x":"#.utf8) + [0x22, 0xED, 0xA0, 0x80, 0x22], #""x":"\#u{FFFD}\#u{FFFD}\#u{FFFD}""#,
            "UTF-8"
        ),
        (
            "both", Array(#""x":"#.utf8) + [0x22, 0xC3, 0x22] + Array(#","y":NaN"#.utf8), #""x":"\#u{FFFD}","y":"NaN""#,
            "UTF-8"
        ),
    ]

    @Test(arguments: repairs.indices) func `what is nearly JSON is read`(place: Int) throws {
        let (name, bad, good, said) = Self.repairs[place]
        let wanted = try JSONSample.read(#"{"role":"assistant","content":"x",\#(good)}"#)
        let whole =
            Array(#"{"choices":[{"message":{"role":"assistant","content":"x","#.utf8) + bad
            + Array(#"},"finish_reason":"stop"}]}"#.utf8)
        let events =
            Array(#"data: {"choices":[{"delta":{"content":"x","#.utf8) + bad
            + Array("},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n".utf8)
        for span in [
            try SpanSample.span(answer: [whole]), try SpanSample.span(type: "text/event-stream", answer: [events]),
        ] {
            #expect(try JSONSample.read(#require(span.output)) == wanted, "\(name)")
            #expect(span.strings("gen_ai.response.finish_reasons") == ["stop"])
            #expect(span.level == "WARNING")
            #expect(span.message?.contains(said) == true, "\(name): \(span.message ?? "")")
        }
    }

    @Test(arguments: [
        ("nan", "NaN"), ("-nan", "NaN"), ("-NaN", "NaN"), ("NAN", "NaN"), ("+nan", "NaN"), ("inf", "Infinity"),
        ("Inf", "Infinity"), ("INF", "Infinity"), ("+inf", "Infinity"), ("+Infinity", "Infinity"),
        ("infinity", "Infinity"), ("-inf", "-Infinity"), ("-Inf", "-Infinity"), ("-INFINITY", "-Infinity"),
    ])
    func `each way to write a number that is none is repaired`(bad: String, good: String) throws {
        let text = #"{"a": \#(bad) ,"b":[\#(bad),1,\#(bad)],"c":"\#(bad), [\#(bad)]","d":{"e":\#(bad)}}"#
        let wanted = #"{"a": "\#(good)" ,"b":["\#(good)",1,"\#(good)"],"c":"\#(bad), [\#(bad)]","d":{"e":"\#(good)"}}"#
        let repaired = try #require(JSONRepair.repair(Array(text.utf8), 0..<text.utf8.count))
        #expect(String(decoding: repaired.bytes, as: UTF8.self) == wanted)
        #expect(repaired.faults == .repairedNumbers)
    }

    @Test(arguments: [
        "{nan:1}", "{NaN:1}", #"{"a":1,NaN:2}"#, "[1nan]", "[nano]", "[nan nan]", "[--inf]", "[- inf]", "[infinit]",
        "[infinityy]", "[nan", #"{"a"NaN}"#, "[nan1]", "[1,2]NaN",
    ])
    func `what is no value is not made one`(text: String) {
        #expect(JSONRepair.repair(Array(text.utf8), 0..<text.utf8.count) == nil)
    }

    /// Log-probabilities are where such numbers come from.
    @Test func `log probabilities that are no numbers are kept`() throws {
        let choice =
            #"{"message":{"role":"assistant","content":"x"},"logprobs":{"content":[{"token":"x","logprob":-Infinity},{"token":"y","logprob":NaN}]}}"#
        let span = try SpanSample.span(answer: #"{"choices":[\#(choice)]}"#)
        #expect(
            span.output?.hasSuffix(
                #""logprobs":{"content":[{"token":"x","logprob":"-Infinity"},{"token":"y","logprob":"NaN"}]}}"#) == true
        )
        #expect(span.level == "WARNING")
    }

    private static let noEvents: [(event: String, isTold: Bool)] = [
        ("data: oops\n\n", true), ("data: {\"choices\":\n\n", true), ("data: [1]\n\n", true), ("data: \n\n", false),
        ("data: [DONE]\n\n", false),
        (": {broken\n\n", false), ("event: error\n\n", false), ("data:[DONE] \n\n", false),
        ("data: {\"choices\":[{\"delta\":\"x\"}]}\n\n", true),
    ]

    @Test(arguments: noEvents) func `an event that is none is told`(event: String, isTold: Bool) throws {
        let span = try SpanSample.span(
            type: "text/event-stream", answer: [Array((Self.event + event + Self.event).utf8)])
        #expect(span.output == #"{"role":"assistant","content":"xx"}"#)
        #expect((span.level == "WARNING") == isTold, "\(span.message ?? "")")
    }
}

import Common
import Foundation
import Testing

@testable import Forwarder

@Suite struct SpanLimitsTests {
    /// The worst that JSON can do: each byte takes two in a string, in all parts of a span at once.
    @Test func theLargestSpanFitsABatch() throws {
        let quotes = String(repeating: #"\""#, count: 1_500_000)
        let many = (0..<3000).map { #""p\#($0)":"\#(String(repeating: #"\""#, count: 40))""# }.joined(separator: ",")
        let tags = (0..<3000).map { "\"\($0)\(String(repeating: #"\""#, count: 40))\"" }.joined(separator: ",")
        let body = #"{"messages":["\#(quotes)"],"metadata":{"tags":[\#(tags)],\#(many)},\#(many)}"#
        let span = try SpanSample.job(body)
        let written = try #require(CompletionSpan(span))
        written.begins(UpstreamHead(status: 200))
        let beside = String(repeating: #"\""#, count: 16_300)
        written.take(Array(#"{"beside":"\#(beside)","choices":[{"message":{"content":"\#(quotes)"}}]}"#.utf8), at: 0)
        let bytes = written.answered(at: 0)
        #expect(bytes.count < 4_500_000)
        #expect(bytes.count > 4_000_000)
        let read = try ReadSpan(bytes)
        for text in [read.input, read.output] {
            let text = try #require(text)
            #expect(text.utf8.count < SpanLimits.text + 100)
            #expect(
                text.hasSuffix("bytes of \(text.hasPrefix(#"{"messages"#) ? quotes.utf8.count + 17 : quotes.utf8.count + 14)]"), "\(text.suffix(80))")
        }
        for key in ["langfuse.trace.metadata", "langfuse.observation.model.parameters", "langfuse.observation.metadata.response"] {
            let text = try #require(read.string(key))
            #expect(text.utf8.count <= SpanLimits.small)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
        let own = try #require(read.strings("langfuse.trace.tags"))
        #expect(own.suffix(6).first == "rollout_id:R", "the ids are there whatever the client sends")
        #expect(own.count < 3000)
    }

    @Test(arguments: 0..<4) func aCutGoesThroughNoCharacter(shift: Int) throws {
        let text = String(repeating: "a", count: shift) + String(repeating: "😀", count: SpanLimits.text / 4 + 10)
        let input = try #require(try SpanSample.span(body: #"{"messages":["\#(text)"]}"#, answer: "{}").input)
        #expect(!input.contains("\u{FFFD}"))
        #expect(input.contains("😀…[cut by the gateway after"))
    }

    @Test func aParameterWithoutRoomIsMarked() throws {
        let schema = #"{"a":"\#(String(repeating: "x", count: SpanLimits.small))"}"#
        let span = try SpanSample.span(body: #"{"messages":[],"response_format":\#(schema),"top_p":1}"#, answer: "{}")
        #expect(
            span.string("langfuse.observation.model.parameters")
                == #"{"response_format":"…[cut by the gateway after 0 bytes of \#(schema.utf8.count)]","top_p":1}"#)
    }

    @Test func aBodyBeyondTheBoundIsMarkedAndNotKept() throws {
        let pieces = (0..<5).map { [UInt8](repeating: 0x61 + UInt8($0), count: 1 << 20) }
        var collector = AnswerCollector(head: UpstreamHead(status: 200))
        for piece in pieces { collector.take(piece, at: 0) }
        let answer = collector.collected()
        #expect(answer.note?.contains("\(SpanLimits.body)") == true)
        #expect(answer.output.reduce(0) { $0 + $1.count } < SpanLimits.foreign + 100)
        #expect(answer.output[0].text.hasSuffix("of 5242880]"))
    }

    @Test func numbersThatNoDoubleHoldsAreLeftOut() throws {
        let span = try SpanSample.span(body: #"{"messages":[],"temperature":1e400,"max_tokens":1.5,"n":1,"seed":true}"#, answer: "{}")
        for key in ["temperature", "max_tokens", "choice.count", "seed"] { #expect(!span.keys.contains("gen_ai.request.\(key)")) }
        #expect(span.string("langfuse.observation.model.parameters") == #"{"temperature":1e400,"max_tokens":1.5,"n":1,"seed":true}"#)
    }
}

import Common
import Foundation
import TestSupport
import Testing
import Upstream

@testable import Forwarder

@Suite struct SpanLimitsTests {
    /// The worst that JSON can do: each byte takes two in a string, in all parts of a span at once.
    @Test func `the largest span fits a batch`() throws {
        let quotes = String(repeating: #"\""#, count: 1_500_000)
        let many = (0..<3000).map { #""p\#($0)":"\#(String(repeating: #"\""#, count: 40))""# }.joined(separator: ",")
        let tags = (0..<3000).map { "\"\($0)\(String(repeating: #"\""#, count: 40))\"" }.joined(separator: ",")
        let body = #"{"messages":["\#(quotes)"],"metadata":{"tags":[\#(tags)],\#(many)},\#(many)}"#
        let span = try SpanSample.job(body)
        let written = try #require(CompletionSpan(span))
        written.recordHead(UpstreamHead(status: 200))
        let beside = String(repeating: #"\""#, count: 16_300)
        written.take(Array(#"{"beside":"\#(beside)","choices":[{"message":{"content":"\#(quotes)"}}]}"#.utf8), at: 0)
        let record = written.answered(at: 0)
        let count = try SpanRecord(record).otlp.count
        #expect(count < 4_500_000)
        #expect(count > 4_300_000)
        let read = try ReadSpan(record)
        let input = try #require(
            read.input.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) } as? [String: [String]])
        #expect(input["messages"]?.first?.hasSuffix("bytes of \(quotes.utf8.count)]") == true)
        let output = try #require(
            read.output.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) } as? [String: String])
        #expect(output["content"]?.hasSuffix("bytes of \(quotes.utf8.count)]") == true)
        #expect(read.level == "WARNING")
        #expect(read.message?.contains("model parameters, tags, metadata") == true, "\(read.message ?? "")")
        for key in [
            "langfuse.trace.metadata", "langfuse.observation.model.parameters",
            "langfuse.observation.metadata.response",
        ] {
            let text = try #require(read.string(key))
            #expect(text.utf8.count <= SpanLimits.small)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
        let own = try #require(read.strings("langfuse.trace.tags"))
        #expect(own.suffix(6).first == "rollout_id:R", "the ids are there whatever the client sends")
        #expect(own.count < 3000)
    }

    @Test(arguments: 0..<4) func `a cut goes through no character`(shift: Int) throws {
        let text = String(repeating: "a", count: shift) + String(repeating: "😀", count: 20_000)
        let span = try SpanSample.span(
            body: #"{"messages":["\#(text)"]}"#, answer: [Array("{}".utf8)], textBytes: 64 << 10)
        let input = try #require(span.input)
        #expect(input.utf8.count <= 64 << 10)
        #expect(input.utf8.count > (64 << 10) - 100)
        #expect(!input.contains("\u{FFFD}"))
        #expect(input.contains("😀…[cut by the gateway after"))
    }

    @Test func `a long parameter is cut inside and stays what it is`() throws {
        let schema =
            #"{"type":"object","properties":{"a":{"description":"\#(String(repeating: "x y", count: SpanLimits.small))"}}}"#
        let span = try SpanSample.span(
            body: #"{"messages":[],"response_format":\#(schema),"top_p":1}"#, answer: #"{"choices":[{"message":{}}]}"#)
        let text = try #require(span.string("langfuse.observation.model.parameters"))
        #expect(text.utf8.count <= SpanLimits.small)
        #expect(text.hasPrefix(#"{"response_format":{"type":"object","properties":{"a":{"description":"x y"#))
        #expect(text.hasSuffix("bytes of \(3 * SpanLimits.small)]\"}}},\"top_p\":1}"))
        #expect(span.level == "WARNING")
        #expect(span.message == "Cut to 32768 bytes: model parameters.")
    }

    @Test(arguments: [64 << 10, 4 << 20, 8 << 20]) func `a span has room for its texts`(textBytes: Int) {
        let span = SpanLimits.span(textBytes: textBytes)
        #expect(textBytes > 4 << 20 || ExportBatch().body.count + span <= ExportBatch.maximumBytes)
        #expect(textBytes <= 4 << 20 || span >= 4 * textBytes)
        #expect(span < 64 << 20, "the embedded trace store takes it, and shows it")
    }

    @Test func `finish reasons have a bound`() throws {
        let choice = #"{"message":{},"finish_reason":"\#(String(repeating: "x", count: 1000))"}"#
        let span = try SpanSample.span(
            answer: #"{"choices":[\#(Array(repeating: choice, count: 100).joined(separator: ","))]}"#)
        #expect(span.strings("gen_ai.response.finish_reasons")?.count == 31)
    }

    @Test func `a body beyond the bound is marked and not kept`() throws {
        let pieces = (0..<9).map { [UInt8](repeating: 0x61 + UInt8($0), count: 1 << 20) }
        var collector = ResponseCollector(head: UpstreamHead(status: 200))
        for piece in pieces { collector.take(piece, at: 0) }
        let answer = collector.collected()
        #expect(answer.note?.contains("\(2 * SpanLimits.spanText)") == true)
        #expect(answer.output.reduce(0) { $0 + $1.count } < SpanLimits.foreign + 100)
        #expect(answer.output[0].text.hasSuffix("of 9437184]"))
    }

    @Test func `numbers that no double holds are left out`() throws {
        let span = try SpanSample.span(
            body: #"{"messages":[],"temperature":1e400,"max_tokens":1.5,"n":1,"seed":true}"#, answer: "{}")
        for key in ["temperature", "max_tokens", "choice.count", "seed"] {
            #expect(!span.keys.contains("gen_ai.request.\(key)"))
        }
        #expect(
            span.string("langfuse.observation.model.parameters")
                == #"{"temperature":1e400,"max_tokens":1.5,"n":1,"seed":true}"#)
    }
}

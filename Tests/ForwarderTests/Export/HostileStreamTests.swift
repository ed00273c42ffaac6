import Common
import Foundation
import JSON
import Testing

@testable import Forwarder

/// Streams that are made to cost memory or time: what is kept is bounded, and each byte costs the same.
@Suite struct HostileStreamTests {
    private func collect(_ deltas: some Sequence<String>) -> (answer: CollectedResponse, nodes: Int) {
        var collector = StreamCollector(textBytes: 1 << 20)
        for delta in deltas {
            collector.take(Array(#"data: {"choices":[{"index":0,"delta":\#(delta)}]}"#.utf8) + [0x0A, 0x0A])
        }
        return (collector.collected(), collector.tree.nodes.count)
    }

    private func expectBounded(_ result: (answer: CollectedResponse, nodes: Int), isCut: Bool = true) {
        let output = Array(result.answer.output.map { $0.bytes[$0.range] }.joined())
        #expect(output.count <= (1 << 20))
        #expect(JSONWalker.isValue(output))
        #expect(result.nodes <= SpanLimits.nodes)
        #expect((result.answer.note != nil) == isCut)
    }

    @Test func `members of other names in each event`() {
        expectBounded(collect((0..<2000).lazy.map { #"{"m\#($0)":{"a":1}}"# }))
    }

    @Test func `an object of many members that comes twice`() {
        let members = (0..<40_000).map { #""m\#($0)":1"# }.joined(separator: ",")
        expectBounded(collect((0..<5).lazy.map { _ in #"{"x":{\#(members)}}"# }))
    }

    @Test func `elements of other indices in each event`() {
        expectBounded(
            collect(
                (0..<3000).lazy.map {
                    #"{"x":[{"index":\#($0),"t":"a"}],"tool_calls":[{"index":\#($0),"function":{"name":"f"}}]}"#
                }))
    }

    @Test func `elements of one index and other types`() {
        expectBounded(collect((0..<3000).lazy.map { #"{"x":[{"index":0,"type":"\#($0)"}]}"# }))
    }

    @Test func `deep nesting that comes twice`() {
        let deep = String(repeating: #"{"a":"#, count: 5000) + "1" + String(repeating: "}", count: 5000)
        expectBounded(collect((0..<3).lazy.map { _ in #"{"x":\#(deep)}"# }))
        let arrays = String(repeating: #"[{"index":0,"a":"#, count: 5000) + "1" + String(repeating: "}]", count: 5000)
        expectBounded(collect((0..<3).lazy.map { _ in #"{"x":\#(arrays)}"# }))
    }

    @Test func `more than a span holds in each kind of member`() {
        let text = String(repeating: #"\""#, count: 50_000)
        for delta in [
            #"{"x":"\#(text)"}"#, #"{"x":[{"t":"\#(text)"}]}"#, #"{"x":[{"index":0,"t":"\#(text)"}]}"#,
            #"{"x":{"y":{"z":"\#(text)"}}}"#,
            #"{"audio":{"id":"a","data":"\#(text)"}}"#,
            #"{"tool_calls":[{"index":0,"custom":{"name":"c","input":"\#(text)"}}]}"#,
            #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"\#(text)"}]}]}"#,
            #"{"content":[{"type":"text","text":"\#(text)"}]}"#,
        ] {
            let result = collect((0..<15).lazy.map { _ in delta })
            expectBounded(result)
            #expect(result.answer.output.reduce(0) { $0 + $1.count } > 900_000)
        }
    }

    @Test func `text and parts by turns`() {
        expectBounded(
            collect((0..<100_000).lazy.map { $0.isMultiple(of: 2) ? #"{"content":"x"}"# : #"{"content":[]}"# }))
    }

    @Test func `names repeated beside arguments that never end`() {
        let result = collect(
            (0..<20_000).lazy.map { _ in
                #"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"a\":[ "}}]}"#
            })
        expectBounded(result, isCut: false)
        #expect(result.nodes < 20)
    }

    @Test func `the same nothing a thousand times`() {
        expectBounded(
            collect((0..<20_000).lazy.map { _ in #"{"x":null,"y":{},"z":[],"w":[{"index":0,"type":"t"}],"v":""}"# }),
            isCut: false)
    }

    @Test func `many choices`() {
        var collector = StreamCollector(textBytes: 1 << 20)
        for index in 0..<2000 {
            collector.take(Array("data: {\"choices\":[{\"index\":\(index),\"delta\":{}}]}\n\n".utf8))
        }
        expectBounded((collector.collected(), collector.tree.nodes.count))
    }

    @Test func `members beside the choices are bounded`() throws {
        let members = (0..<2000).map { #""m\#($0)":"\#(String(repeating: "x", count: 40))""# }.joined(separator: ",")
        let span = try SpanSample.span(
            answer:
                #"{"choices":[{"message":{"content":"x"}}],\#(members),"long":"\#(String(repeating: "x", count: 40_000))"}"#
        )
        let response = try #require(span.string("langfuse.observation.metadata.response"))
        #expect(response.utf8.count <= SpanLimits.small)
        _ = try JSONSample.read(response)
        #expect(span.level == "WARNING")
    }

    /// A broken event costs what its own bytes cost, however many lie before it in the same piece.
    @Test(
        .timeLimit(.minutes(5)), arguments: ["data: {", "data: {\"a\":NaN", "data: x", "data: {\"a\":NaN}", "data: [}"])
    func `broken events in one piece`(line: String) {
        var collector = StreamCollector(textBytes: 1 << 20)
        collector.take(Array(String(repeating: line + "\n\n", count: 1_000_000 / line.utf8.count).utf8))
        #expect(collector.collected().note != nil)
    }
}

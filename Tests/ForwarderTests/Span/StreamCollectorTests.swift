import Common
import JSON
import TestSupport
import Testing

@testable import Forwarder

@Suite struct StreamCollectorTests {
    /// The answer of a stream with these events' data.
    private func collect(_ events: [String], end: String = "\n\n") -> CollectedResponse {
        collect(events.map { "data: \($0)\(end)" }.joined().utf8.map { [$0] })
    }

    private func collect(_ pieces: [[UInt8]]) -> CollectedResponse {
        var collector = StreamCollector(textBytes: 1 << 20)
        for piece in pieces { collector.take(piece) }
        return collector.collected()
    }

    private func delta(_ delta: String, index: Int = 0, finish: String = "null") -> String {
        #"{"id":"c1","model":"m1","choices":[{"index":\#(index),"delta":\#(delta),"finish_reason":\#(finish)}]}"#
    }

    private func text(_ answer: CollectedResponse) -> String { answer.output.map(\.text).joined() }

    @Test func `text is put together as it was written`() {
        let answer = collect([
            delta(#"{"role":"assistant","content":""}"#), delta(#"{"content":"a\n\"é"}"#),
            delta(#"{"content":"\ud83d"}"#),
            delta(#"{"content":"\ude00"}"#),
            delta("{}", finish: #""stop""#),
            #"{"id":"c2","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#, "[DONE]",
        ])
        #expect(text(answer) == #"{"role":"assistant","content":"a\n\"é\ud83d\ude00"}"#)
        #expect(answer.finishReasons == ["stop"])
        #expect(answer.usage?.details.map(\.count) == [3, 2, 5])
        #expect(answer.id == "c1")
        #expect(answer.model == "m1")
        #expect(answer.note == nil)
    }

    @Test func `tool calls are joined by index`() {
        let answer = collect([
            delta(
                #"{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"c0","type":"function","function":{"name":"f","arguments":""}}]}"#
            ),
            delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}"#),
            delta(
                #"{"tool_calls":[{"index":1,"id":"c1","type":"function","function":{"name":"g","arguments":"{"}},{"index":0,"function":{"arguments":":1}"}}]}"#
            ),
            delta(#"{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]}"#), delta("{}", finish: #""tool_calls""#),
        ])
        #expect(
            text(answer)
                == #"{"role":"assistant","content":null,"tool_calls":[{"id":"c0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},"#
                + #"{"id":"c1","type":"function","function":{"name":"g","arguments":"{}"}}]}"#)
        #expect(answer.finishReasons == ["tool_calls"])
    }

    @Test(arguments: [#""index":0,"#, ""]) func `calls of one index with IDs of their own are several`(index: String) {
        let answer = collect([
            delta(#"{"tool_calls":[{\#(index)"id":"a","function":{"name":"f","arguments":"{}"}}]}"#),
            delta(#"{"tool_calls":[{\#(index)"id":"b","function":{"name":"f","arguments":"["}}]}"#),
            delta(#"{"tool_calls":[{\#(index)"function":{"arguments":"]"}}]}"#),
        ])
        #expect(
            text(answer)
                == #"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},"#
                + #"{"id":"b","type":"function","function":{"name":"f","arguments":"[]"}}]}"#)
    }

    @Test func `a name and ID that are repeated count once`() {
        let call = #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}"#
        #expect(
            text(collect([delta(call), delta(call)])).contains(
                #"[{"id":"a","type":"function","function":{"name":"f","arguments":"11"}}]"#))
    }

    @Test func `reasoning refusal and the older function call are kept`() {
        let answer = collect([
            delta(#"{"reasoning_content":"th"}"#), delta(#"{"reasoning_content":"ink","reasoning":"r"}"#),
            delta(#"{"refusal":"no"}"#),
            delta(#"{"function_call":{"name":"f","arguments":"{"}}"#), delta(#"{"function_call":{"arguments":"}"}}"#),
        ])
        #expect(
            text(answer)
                == #"{"role":"assistant","content":null,"reasoning_content":"think","reasoning":"r","refusal":"no","function_call":{"name":"f","arguments":"{}"}}"#
        )
    }

    @Test func `a content of parts stays one`() {
        let answer = collect([
            delta(#"{"content":"a"}"#), delta(#"{"content":[{"type":"thinking","thinking":[]}]}"#),
            delta(#"{"content":"b"}"#),
            delta(#"{"content":"c"}"#),
        ])
        #expect(
            text(answer)
                == #"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":[]},{"type":"text","text":"bc"}]}"#
        )
    }

    @Test func `choices are sorted by index`() {
        let answer = collect([
            delta(#"{"content":"b"}"#, index: 1), #"{"choices":[{"delta":{"content":"a"},"index":0}]}"#,
            delta(#"{"content":"B"}"#, index: 1, finish: #""length""#),
        ])
        #expect(text(answer) == #"[{"role":"assistant","content":"a"},{"role":"assistant","content":"bB"}]"#)
        #expect(answer.finishReasons == ["length"])
    }

    @Test func `what is no completion is passed over`() {
        let answer = collect([
            delta(#"{"content":"a"}"#), "{broken", "7", "[]", "", #"{"choices":7}"#,
            #"{"choices":[7,{"index":"x","delta":[]}]}"#,
            #"{"choices":[{"index":0,"delta":{"content":7,"tool_calls":[7],"function_call":null}}],"usage":null,"id":7}"#,
            delta(#"{"content":"b"}"#),
        ])
        #expect(text(answer) == #"{"role":"assistant","content":"ab","tool_calls":[7],"function_call":null}"#)
        #expect(answer.faults == [.unreadEvents, .mixedKinds])
    }

    /// Whatever way the bytes are cut and the lines end, with comments, other fields and data over several lines
    /// between, the answer is the same.
    @Test(arguments: ["\n", "\r\n", "\r"]) func `cuts and line ends change nothing`(end: String) {
        let lines =
            [
                "\u{FEFF}: hello", "", "event: message", "data: " + delta(#"{"content":"é"}"#), "",
                "data:" + delta(#"{"content":"b"}"#), "id: 1", "",
            ]
            + [
                #"data: {"choices":[{"index":0,"delta":{}},{"#, #"data: "index":0,"delta":{"content":"c"}}]"#, "data:}",
                "", "data: [DONE]", "", "",
            ]
        let bytes = Array(lines.joined(separator: end).utf8)
        var random = SeededRandom(seed: 7)
        for _ in 0..<500 {
            #expect(text(collect(bytes.cut(using: &random))) == #"{"role":"assistant","content":"ébc"}"#)
        }
        #expect(text(collect(bytes.map { [$0] })) == #"{"role":"assistant","content":"ébc"}"#)
    }

    @Test func `what is kept is bounded`() {
        let part = String(repeating: #"\""#, count: 30_000)
        let answer = collect(
            [Array((0..<40).map { _ in "data: " + delta(#"{"content":"\#(part)"}"#) + "\n\n" }.joined().utf8)]
                + [Array(("data: " + delta(#"{"content":"last"}"#, finish: #""stop""#) + "\n\n").utf8)])
        let message = text(answer)
        #expect(message.utf8.count < (1 << 20) + 200)
        #expect(message.hasSuffix(#"\"…[cut by the gateway after 1048576 bytes]"}"#))
        #expect(JSONWalker.isValue(Array(message.utf8)))
        #expect(answer.note != nil)
        #expect(answer.finishReasons == [""] || answer.finishReasons == ["stop"] || answer.finishReasons.isEmpty)
    }

    @Test func `a line that is too long is passed over`() {
        let long = "data: " + delta(#"{"content":"\#(String(repeating: "x", count: SpanLimits.line))"}"#) + "\n\n"
        let bytes = Array((long + "data: " + delta(#"{"content":"b"}"#) + "\n\n").utf8)
        let answer = collect(
            stride(from: 0, to: bytes.count, by: 1000).map { Array(bytes[$0..<min($0 + 1000, bytes.count)]) })
        #expect(text(answer).hasPrefix(#"{"role":"assistant","content":"b…[cut"#))
        #expect(answer.note != nil)
    }

    @Test func `the first token is text reasoning or a call and no role`() throws {
        let events = [#"{"role":"assistant","content":""}"#, #"{"reasoning_content":"x"}"#, #"{"content":"y"}"#].map {
            Array("data: \(delta($0))\n\n".utf8)
        }
        let span = try SpanSample.span(
            type: "text/event-stream; charset=utf-8", answer: events, times: [1, 1_756_452_461_184, 3])
        #expect(span.string("langfuse.observation.completion_start_time") == "2025-08-29T07:27:41.184Z")
        #expect(try SpanSample.span(answer: "{}").string("langfuse.observation.completion_start_time") == nil)
    }

    /// The same work a byte, however much has come before.
    @Test(.timeLimit(.minutes(5))) func `a long stream of small deltas is linear`() {
        var collector = StreamCollector(textBytes: 1 << 20)
        let piece = Array(
            ("data: " + delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"xyz"}}]}"#) + "\n\n").utf8)
        for _ in 0..<150_000 { collector.take(piece) }
        #expect(text(collector.collected()).utf8.count > 450_000)
    }
}

extension [UInt8] {
    /// The bytes in pieces of random lengths.
    func cut(using random: inout SeededRandom) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        let longest = Int.random(in: 1...200, using: &random)
        while start < count {
            let end = Swift.min(count, start + Int.random(in: 1...longest, using: &random))
            pieces.append(Array(self[start..<end]))
            start = end
        }
        return pieces
    }
}

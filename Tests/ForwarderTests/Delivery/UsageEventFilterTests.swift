import Common
import TestSupport
import Testing

@testable import Forwarder

@Suite struct UsageEventFilterTests {
    private static let usage = #"{"id":"c","choices":[],"usage":{"prompt_tokens":1,"x":[{"choices":[1]}]}}"#

    private func pass(_ pieces: [[UInt8]]) -> [[UInt8]] {
        var filter = UsageEventFilter()
        return pieces.map { filter.pass($0) } + [filter.end()]
    }

    private func pass(_ text: String) -> String { String(decoding: pass([Array(text.utf8)]).joined(), as: UTF8.self) }

    @Test func `the usage is taken out and all else stays`() {
        let before = #"data: {"choices":[{"index":0,"delta":{"content":"x"}}],"usage":null}"# + "\n\n"
        #expect(pass(before + "data: \(Self.usage)\n\ndata: [DONE]\n\n") == before + "data: [DONE]\n\n")
    }

    @Test(arguments: [
        #"{"choices":[],"usage":{}}"#, #"{"usage":{"a":"}"},"choices":[]}"#, #" { "choices" : [ ] , "usage" : { } } "#,
        #"{"a":"\"choices\":[1]","choices":[],"b":{"usage":null,"choices":[1]},"usage":{"t":1},"c":[[],{}]}"#,
    ])
    func `the usage in any form`(json: String) {
        #expect(pass("data:\(json)\n\n") == "")
        #expect(pass("event: message\nid: 7\ndata: \(json)\n\ndata: [DONE]\n\n") == "data: [DONE]\n\n")
        #expect(pass("data: \(json)\n") == "", "the last event without its empty line")
    }

    @Test(arguments: [
        "[DONE]", "", #"{"choices":[],"usage":null}"#, #"{"choices":[]}"#, #"{"usage":{}}"#,
        #"{"choices":[{}],"usage":{}}"#,
        #"{"choices":null,"usage":{}}"#,
        #"{"choices":{},"usage":{}}"#, #"{"choices":[],"usage":"{}"}"#, #"{"choices":[],"usage":[]}"#,
        #"{"choices":[],"prompt_filter_results":[]}"#,
        #"{"choices":[],"usage":{}"#, #"{"choices":[],"usage":{}}x"#, #"[{"choices":[],"usage":{}}]"#,
        #"{"x":{"choices":[],"usage":{}}}"#, "text",
        #"{"choices":[],"usage":7}"#, #"{"choices":"","usage":{}}"#, #"{"xchoices":[],"usage":{}}"#,
    ])
    func `what is not the usage stays`(json: String) {
        for text in ["data: \(json)\n\n", "data: \(json)\r\n\r\n", "data: \(json)", "data: \(json)\n"] {
            #expect(pass(text) == text)
        }
    }

    @Test func `data over two lines stays`() {
        let text = "data: {\"choices\":[],\ndata: \"usage\":{}}\n\n"
        #expect(pass(text) == text)
    }

    /// What is not a usage passes with the byte that says so, and a comment with its first.
    @Test func `nothing else is delayed`() {
        let event = #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"}}]}"# + "\n\n"
        let known = event.utf8.count - event.drop { $0 != "[" }.utf8.count + 2
        let bytes = Array((event + ": ping\n\n" + event).utf8)
        var passed = 0
        for (index, piece) in pass(bytes.map { [$0] }).dropLast().enumerated() {
            passed += piece.count
            let place = index < event.utf8.count ? index : max(0, index - event.utf8.count - 8)
            let isInComment = (event.utf8.count..<event.utf8.count + 8).contains(index)
            if isInComment || place + 1 >= known { #expect(passed == index + 1, "byte \(index)") }
        }
        #expect(passed == bytes.count)
    }

    /// A piece of which nothing is held or taken out is passed on itself, not a copy.
    @Test func `an ordinary piece is not copied`() {
        let piece = Array((#"data: {"choices":[{"delta":{"content":"x"}}]}"# + "\n\ndata: [DONE]\n\n").utf8)
        var filter = UsageEventFilter()
        let passed = filter.pass(piece)
        #expect(passed.withUnsafeBufferPointer { $0.baseAddress } == piece.withUnsafeBufferPointer { $0.baseAddress })
    }

    @Test func `an event that grows is not held for ever`() {
        var filter = UsageEventFilter()
        let long = Array((#"data: {"id":""# + String(repeating: "x", count: SpanLimits.heldEvent)).utf8)
        #expect(filter.pass(Array(long.prefix(1000))).isEmpty)
        #expect(filter.pass(Array(long.dropFirst(1000))) == long)
        #expect(filter.pass([0x78]) == [0x78])
    }

    /// Random streams, cut at random: what comes out is the stream without the usage, whatever the cuts, and never more
    /// than one event is held.
    @Test(arguments: 0..<20 as Range<UInt64>) func `random cuts change nothing`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ordinary = [
            #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"[]{}\"\\"}}],"usage":null}"#,
            #"data: {"choices":[],"usage":null}"#,
            "data: [DONE]", ": ping", "event: x\ndata: {\"choices\":[]}", "id: 1", "data: {broken", "", "data",
            "data: {\"choices\":[],\ndata: \"usage\":{}}",
            #"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":1}}"#, "é",
        ]
        let hidden = [
            "data: \(Self.usage)", "event: y\ndata: \(Self.usage)", "data:{\"usage\":{},\"choices\":[]}\nid: 4",
        ]
        for _ in 0..<400 {
            let end = ["\n", "\r\n", "\r"].randomElement(using: &random) ?? "\n"
            var (sent, wanted) = ("", "")
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let isHidden = Int.random(in: 0..<4, using: &random) == 0
                let event =
                    ((isHidden ? hidden : ordinary).randomElement(using: &random) ?? "").replacing("\n", with: end)
                    + end + end
                sent += event
                if !isHidden { wanted += event }
            }
            let pieces = Array(sent.utf8).cut(using: &random)
            let out = pass(pieces)
            #expect(
                String(decoding: out.joined(), as: UTF8.self) == wanted,
                "\(pieces.map { String(decoding: $0, as: UTF8.self) })")
        }
    }
}

import Common
import Testing

@testable import Forwarder

/// What the mock reads of a body, whatever else stands in it.
@Suite struct MockRequestTests {
    private static func read(_ body: String) throws -> MockRequest { try MockRequest(parsing: Array(body.utf8)) }

    @Test func `the members are read`() throws {
        let request = try Self.read(
            #"""
            {"model": "mock/echo", "stream": true, "stream_options": {"include_usage": true}, "n": [1, {"model": 2}], "messages": [
             {"role": "system", "content": "a b"},
             {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "image_url", "image_url": {"url": "x"}}, {"text": "d"}]},
             {"role": "assistant", "content": null, "tool_calls": []}, {"role": "tool"}]}
            """#)
        #expect(request.isStream && request.includesUsage)
        #expect(request.lastUserText == "c\nd")
        #expect(request.promptWords == 4)
    }

    @Test(arguments: [
        #"{"model":"mock/echo"}"#, #"{"model":"mock/echo","messages":null,"stream":null,"stream_options":null}"#,
        #"{"model":"mock/echo","messages":[],"stream_options":{}}"#,
        #"{"mod\u0065l":"mock/echo","messages":[{"role":"user","content":null}]}"#,
    ]) func `what is absent is empty`(body: String) throws {
        let request = try Self.read(body)
        #expect(!request.isStream && !request.includesUsage && request.lastUserText.isEmpty && request.promptWords == 0)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"model":null}"#, #"{"model":1}"#, #"{"model":"mock/echo","messages":{}}"#,
        #"{"model":"mock/echo","messages":["a"]}"#,
        #"{"model":"mock/echo","messages":[{"content":"a"}]}"#,
        #"{"model":"mock/echo","messages":[{"role":"user","content":1}]}"#,
        #"{"model":"mock/echo","messages":[{"role":"user","content":["a"]}]}"#,
        #"{"model":"mock/echo","stream":"yes"}"#,
        #"{"model":"mock/echo","messages":[{"role":"user","content":[{"text":1}]}]}"#,
        #"{"model":"mock/echo","stream_options":1}"#,
        #"{"model":"mock/echo","messages":[{"role":"user","content":"\ud800"}]}"#,
    ]) func `a body of another form is refused`(body: String) {
        let error = #expect(throws: GatewayError.self) { try Self.read(body) }
        #expect(error?.status == 400 && error?.code == "invalid_request", "\(body)")
    }

    /// Foundation's decoder compares names by canonical equivalence, which takes minutes here.
    @Test func `names of marks take no time`() throws {
        let marks = String(repeating: "\u{323}\u{301}", count: 1 << 18)
        let body =
            #"{"model":"mock/echo","\#(marks)":1,"messages":[{"role":"user","\#(marks)a":1,"content":[{"\#(marks)b":1,"text":"hi"}]}]}"#
        var text = ""
        let time = try ContinuousClock().measure { text = try Self.read(body).lastUserText }
        #expect(text == "hi")
        #expect(time < .seconds(60), "\(time)")
    }
}

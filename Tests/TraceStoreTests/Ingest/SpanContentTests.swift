import Common
import JSON
import Testing

@testable import TraceStore

/// Where input and output of a span come from (Langfuse's `extractInputAndOutput`).
struct SpanContentTests {
    private func content(_ attributes: [(String, OTLPValue)]) -> SpanContent {
        SpanContent(OTLPAttributes(attributes.map { OTLPAttribute(key: $0.0, value: $0.1) }))
    }

    private static let input = #"[{"role":"user","parts":[{"type":"text","content":"1+1?"}]}]"#
    private static let output =
        #"[{"role":"assistant","parts":[{"type":"text","content":"2"}],"finish_reason":"stop"}]"#

    @Test func `open telemetrys messages are input and output`() {
        let both = content([
            ("gen_ai.input.messages", .string(Self.input)), ("gen_ai.output.messages", .string(Self.output)),
        ])
        #expect(both.input == Self.input && both.output == Self.output)
        let asValues = content([
            ("gen_ai.output.messages", .array([.map([OTLPAttribute(key: "role", value: .string("assistant"))])]))
        ])
        #expect(asValues.input == nil && asValues.output == #"[{"role":"assistant"}]"#)
    }

    @Test(
        arguments: [
            (#""be brief""#, "be brief"), ("be brief", "be brief"),
            (#"[{"type":"text","content":"be brief"},{"type":"text","content":"be kind"}]"#, "be brief\nbe kind"),
            (#"["one",{"x":1}]"#, "one\n{\"x\":1}"),
        ])
    func `system instructions go before the messages`(instructions: String, text: String) throws {
        let input = content([
            ("gen_ai.input.messages", .string(Self.input)), ("gen_ai.system_instructions", .string(instructions)),
        ]).input
        let quoted = String(decoding: JSONText.quoted(text), as: UTF8.self)
        let rest = String(Self.input.utf8.dropFirst()) ?? ""
        #expect(input == #"[{"role":"system","content":\#(quoted)},"# + rest)
    }

    @Test(arguments: [#"[{"role":"system","content":"mine"},{"role":"user"}]"#, "no JSON", #"{"role":"user"}"#])
    func `messages that need no instructions stay as they are`(messages: String) {
        let input = content([
            ("gen_ai.input.messages", .string(messages)), ("gen_ai.system_instructions", .string("be brief")),
        ]).input
        #expect(input == messages)
    }

    /// A convention gives both; the first counts of which the span has either.
    @Test func `one convention gives both`() {
        let all: [(String, OTLPValue)] = [
            ("langfuse.observation.output", .string("own")), ("input.value", .string("i")),
            ("output.value", .string("o")),
            ("gen_ai.input.messages", .string(Self.input)), ("gen_ai.tool.call.arguments", .string("{}")),
        ]
        #expect(content(all).input == nil && content(all).output == "own")
        let later = Array(all.dropFirst())
        #expect(content(later).input == "i" && content(later).output == "o")
        #expect(content(Array(all.dropFirst(3))).input == Self.input)
        let tool = content([all[4], ("gen_ai.tool.call.result", .int(5))])
        #expect(tool.input == "{}" && tool.output == "5")
        #expect(content([("langfuse.trace.input", .string("t")), all[0]]).input == "t")
    }

    @Test func `what is input or output is no metadata`() throws {
        var span = OTLPSpan(traceID: SampleSpan.traceID(1), spanID: "8e9f0a1b00000001", name: "span")
        span.attributes = OTLPAttributes([
            OTLPAttribute(key: "gen_ai.input.messages", value: .string(Self.input)),
            OTLPAttribute(key: "gen_ai.system_instructions", value: .string("s")),
            OTLPAttribute(key: "input.value", value: .string("i")),
            OTLPAttribute(key: "gen_ai.request.temperature", value: .double(0.5)),
        ])
        #expect(
            ObservationMapping.observation(span).metadata == #"{"attributes":{"gen_ai.request.temperature":"0.5"}}"#)
    }
}

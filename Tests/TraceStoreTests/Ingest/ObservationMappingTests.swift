import Common
import JSON
import Testing

@testable import TraceStore

/// Which attribute becomes what (Langfuse's OtelIngestionProcessor).
struct ObservationMappingTests {
    private func row(_ attributes: [(String, OTLPValue)], change: (inout OTLPSpan) -> Void = { _ in }) -> Observation {
        var span = OTLPSpan(traceID: SampleSpan.traceID(1), spanID: "8e9f0a1b00000001", name: "span")
        span.attributes = OTLPAttributes(attributes.map { OTLPAttribute(key: $0.0, value: $0.1) })
        change(&span)
        return ObservationMapping.observation(span)
    }

    @Test(
        arguments: [
            (.array([.string("a"), .string("b,c"), .string("a")]), ["a", "b,c"]),
            (.string(#"["x","y,z"]"#), ["x", "y,z"]),
            (.string("p, q"), ["p", "q"]),
            (.string("single"), ["single"]), (.string(""), []), (.string("[1]"), ["[1]"]),
        ] as [(OTLPValue, [String])])
    func `tags come in three forms`(value: OTLPValue, tags: [String]) {
        #expect(row([("langfuse.trace.tags", value)]).tags == tags)
        #expect(row([("tag.tags", value)]).tags == tags)
    }

    @Test(arguments: [
        ("Production", "production"), ("langfuse-test", "-test"), ("with space", "default"), ("", "default"),
        (String(repeating: "a", count: 60), String(repeating: "a", count: 40)), ("a_b-1", "a_b-1"),
    ])
    func `the environment is cleaned`(given: String, shown: String) {
        #expect(row([("langfuse.environment", .string(given))]).environment == shown)
        let resource = OTLPAttributes([OTLPAttribute(key: "deployment.environment", value: .string(given))])
        #expect(row([]) { $0.resource = resource }.environment == shown)
    }

    @Test(
        arguments: [
            ([("langfuse.observation.type", "agent")], "AGENT"), ([("langfuse.observation.type", "nonsense")], "SPAN"),
            ([("llm.model_name", "m")], "GENERATION"), ([("openinference.span.kind", "LLM")], "GENERATION"),
            ([("openinference.span.kind", "TOOL")], "TOOL"),
            ([("gen_ai.operation.name", "embeddings")], "EMBEDDING"),
            ([("gen_ai.operation.name", "x"), ("gen_ai.request.model", "m")], "GENERATION"),
            ([], "SPAN"),
        ] as [([(String, String)], String)])
    func `the type is found`(attributes: [(String, String)], type: String) {
        #expect(row(attributes.map { ($0.0, .string($0.1)) }).type == type)
    }

    @Test func `usage and cost`() {
        let given = row([
            ("langfuse.observation.usage_details", .string(#"{"input":5,"output":1.0,"bad":-1,"text":"x"}"#)),
            ("langfuse.observation.cost_details", .string(#"{"input":0.5,"output":0.25}"#)),
        ])
        #expect(
            given.usage == #"{"input":5,"output":1}"# && given.cost == #"{"input":0.5,"output":0.25}"#
                && given.totalCost == 0.75)
        let counted = row([
            ("llm.token_count.prompt", .int(5)), ("gen_ai.usage.completion_tokens", .string("7")),
            ("llm.token_count.total", .double(12)),
            ("llm.cost.total", .double(0.125)),
        ])
        #expect(
            counted.usage == #"{"input":5,"output":7,"total":12}"# && counted.cost == #"{"total":0.125}"#
                && counted.totalCost == 0.125)
        #expect(
            row([("langfuse.observation.usage_details", .string("nonsense"))]).usage == nil && row([]).totalCost == nil)
    }

    @Test func `level name and root`() {
        let child = { (span: inout OTLPSpan) in span.parentID = "0101010101010101" }
        #expect(row([]) { $0.isError = true }.level == "ERROR")
        #expect(row([("langfuse.observation.level", .string("warning"))]) { $0.isError = true }.level == "WARNING")
        #expect(row([]).traceName == "span" && row([], change: child).traceName == nil)
        #expect(row([], change: child).isRoot == false)
        #expect(row([("langfuse.internal.is_app_root", .bool(true))], change: child).isRoot)
        #expect(row([("langfuse.trace.public", .bool(true))]).isPublic)
    }

    @Test func `metadata is gathered`() throws {
        let attributes: [(String, OTLPValue)] = [
            ("langfuse.observation.metadata", .string(#"{"a":{"b":1},"c":"d"}"#)),
            ("langfuse.trace.metadata.e", .int(5)), ("other", .string("x")),
            ("langfuse.observation.input", .string("in")),
        ]
        let mapped = row(attributes) { span in
            span.resource = OTLPAttributes([OTLPAttribute(key: "service.name", value: .string("s"))])
            span.scope = OTLPScope(name: "mine", version: "1")
        }
        let metadata = try JSONObject.scan(Array(try #require(mapped.metadata).utf8), maximumDepth: 9)
        let expected = [
            "a": #"{"b":1}"#, "c": #""d""#, "e": "5", "resourceAttributes": #"{"service.name":"s"}"#,
            "scope": #"{"name":"mine","version":"1","attributes":{}}"#, "attributes": #"{"other":"x"}"#,
        ]
        for (name, json) in expected { #expect(metadata.json(name) == json, "\(name)") }
        #expect(metadata.members.count == expected.count)
        let ofSDK = row([("x", .int(1))]) { $0.scope.name = "langfuse-sdk" }
        #expect(ofSDK.metadata == #"{"scope":{"name":"langfuse-sdk","version":"","attributes":{}}}"#)
    }

    @Test func `trace wide inputs stand beside the span's own`() {
        let both = row([("langfuse.observation.input", .string("own")), ("langfuse.trace.input", .string("trace's"))])
        #expect(both.input == "own" && both.traceInput == "trace's")
        let one = row([("langfuse.trace.input", .string("trace's"))])
        #expect(one.input == "trace's" && one.traceInput == nil)
    }
}

import Common
import Policies
import Testing
import Upstream

@testable import Forwarder

/// What the operator's rules take out of the logged copy.
@Suite struct RedactedSpanTests {
    private static let redaction = LogRedaction(
        presets: ["email", "us_ssn", "credit_card"], patterns: [.init("EMP-[0-9]+", replacement: "<staff>")])

    private static func content() -> SpanContent { SpanContents().content(for: .redacted(redaction)) }

    private static func span(
        _ body: String, status: Int = 200, type: String = "application/json", _ answer: [String] = ["{}"]
    ) throws -> ReadSpan {
        let span = try #require(CompletionSpan(try SpanSample.job(body), content: content()))
        span.recordHead(UpstreamHead(status: status, headers: [HeaderField("Content-Type", type)]))
        for piece in answer { span.take(Array(piece.utf8), at: SpanSample.start) }
        return try ReadSpan(span.answered(at: SpanSample.start))
    }

    @Test func `input and output are redacted at any depth`() throws {
        let body = #"""
            {"model":"m","messages":[{"role":"user","content":"I am ada@example.org, 123-45-6789, EMP-77."},
            {"role":"tool","content":"{\"mail\": \"ada@example.org\", \"card\": 4111111111111111, \"n\": 5}"},
            {"role":"user","content":[{"type":"text","text":"ad\u0061\u0040example.org\n<EMP-1>"}]}],
            "tools":[{"type":"function","function":{"name":"f","description":"ask ada@example.org"}}],
            "user":"ada@example.org","stop":["EMP-9"],"seed":4111111111111111,
            "metadata":{"trace_name":"EMP-3","note":"EMP-4","tags":["EMP-5","ok"]}}
            """#
        let answer = #"{"choices":[{"message":{"role":"assistant","content":"Dear EMP-77, ada@example.org!"}}]}"#
        let span = try Self.span(body, [answer])
        let input = try #require(span.input)
        #expect(input.contains(#""content":"I am [redacted], [redacted], <staff>.""#), "\(input)")
        #expect(input.contains(#""{\"mail\": \"[redacted]\", \"card\": \"[redacted]\", \"n\": 5}""#), "\(input)")
        #expect(input.contains(#""text":"[redacted]\n<<staff>>""#), "\(input)")
        #expect(input.contains(#""description":"ask [redacted]""#))
        #expect(span.output == #"{"role":"assistant","content":"Dear <staff>, [redacted]!"}"#)
        #expect(span.string("langfuse.observation.metadata.gateway_content") == "redacted")
        #expect(span.string("user.id") == "[redacted]" && span.string("langfuse.trace.name") == "<staff>")
        #expect(span.string("langfuse.observation.model.parameters") == #"{"stop":["<staff>"],"seed":"[redacted]"}"#)
        #expect(span.integer("gen_ai.request.seed") == nil)
        #expect(span.strings("langfuse.trace.tags")?.prefix(2) == ["<staff>", "ok"])
        #expect(span.string("langfuse.trace.metadata")?.contains(#""note":"<staff>""#) == true)
    }

    /// A text that comes in pieces is redacted when it has been put together.
    @Test func `what a stream divides is redacted`() throws {
        let parts = ["ad", "a@exa", "mple.", "org and EM", "P-1"]
        let events = parts.map { #"data: {"choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# + "\n\n" }
        let span = try Self.span(
            #"{"model":"m","messages":[]}"#, type: "text/event-stream", events + ["data: [DONE]\n\n"])
        #expect(span.output == #"{"role":"assistant","content":"[redacted] and <staff>"}"#)
    }

    @Test func `an error's words are redacted before they are cut`() throws {
        let filler = String(repeating: "x", count: SpanLimits.message - 20)
        let span = try Self.span(
            #"{"messages":[]}"#, status: 400, [#"{"error":{"message":"\#(filler) no ada@example.org and EMP-5"}}"#])
        let message = try #require(span.message)
        #expect(!message.contains("ada@") && message.contains("no [reda"), "\(message)")
    }

    /// Arguments that were cut off, an answer that broke off, and an error that quotes what it was sent.
    @Test(arguments: [
        #"{"to":"a\nEMP-12\nad\u0061\u0040example.org","b":"c"#,
        #"HTTP 422: {"detail":[{"input":"a\nEMP-12 ada\u0040example.org"}]}"#,
        #"He said {\"mail\":\"\u0061da@example.org\",\"x\":\"\nEMP-12\"} and left"#,
    ])
    func `what only begins like JSON, or quotes it, is redacted with its escapes`(text: String) throws {
        let word = LogRedaction(presets: ["email"], patterns: [.init(#"\bEMP-[0-9]+\b"#, replacement: "<staff>")])
        let redactor = SecretRedactor().of(SpanContents().content(for: .redacted(word)))
        let clean = redactor.clean(text: ByteSlice(text)).text
        #expect(!clean.contains("EMP-12") && !clean.contains("example.org"), "\(clean)")
        #expect(clean.contains("<staff>") && clean.contains("[redacted]"), "\(clean)")
    }

    /// The search takes a bounded time, and what it has not gone through is not shown.
    @Test func `a text that takes too long is withheld`() throws {
        let slow = LogRedaction(patterns: [.init(#"\w{1,64}@corp\.example"#, replacement: "x")])
        let body = #"{"messages":[{"role":"user","content":"\#(String(repeating: "a", count: 400_000))"}],"user":"u1"}"#
        let span = try #require(
            CompletionSpan(try SpanSample.job(body), content: SpanContents().content(for: .redacted(slow))))
        span.recordHead(UpstreamHead(status: 200))
        let read = try ReadSpan(span.answered(at: SpanSample.start))
        #expect(read.input == nil && read.string("user.id") == nil)
        #expect(read.string("langfuse.observation.metadata.gateway_content") == "withheld")
        #expect(read.strings("langfuse.trace.tags")?.contains("rollout_id:R") == true)
    }

    /// The ids and the request's metadata are what traces are found by.
    @Test func `the request's own metadata stays`() throws {
        var job = try SpanSample.job(#"{"messages":[{"role":"user","content":"EMP-1"}]}"#)
        job.metadata.set("owner", to: "ada@example.org", from: .header)
        let span = try #require(CompletionSpan(job, content: Self.content()))
        span.recordHead(UpstreamHead(status: 200))
        let read = try ReadSpan(span.answered(at: SpanSample.start))
        #expect(read.strings("langfuse.trace.tags")?.contains("owner:ada@example.org") == true)
        #expect(read.input == #"{"messages":[{"role":"user","content":"<staff>"}]}"#)
    }

    /// What is sent and what is answered stay as they are: the span has bytes of its own.
    @Test func `the request itself is untouched`() throws {
        let body = #"{"messages":[{"role":"user","content":"ada@example.org"}]}"#
        let job = try SpanSample.job(body)
        let span = try #require(CompletionSpan(job, content: Self.content()))
        let request = UpstreamRequest(method: "POST", url: "https://provider.example", headers: [], body: job.body)
        let target = Target(provider: "openai", model: "gpt-x", request: request)
        span.recordRequest(target)
        _ = span.answered(at: SpanSample.start)
        #expect(target.bodyText == body)
    }

    @Test(arguments: [
        (#""EMP-1""#, #""<staff>""#), (#"["EMP-1",{"EMP-2":"EMP-3"}]"#, #"["<staff>",{"EMP-2":"<staff>"}]"#),
        ("4111111111111111", #""[redacted]""#), ("[1, 4111111111111111]", #"[1, "[redacted]"]"#),
        (#"{"a" : "x\"EMP-1\\"}"#, #"{"a" : "x\"<staff>\\"}"#), (#""{\"a\":\"EMP-1\"}""#, #""{\"a\":\"<staff>\"}""#),
        (#""{EMP-1""#, #""{<staff>""#), ("null", "null"),
        (#""\ud83d\ude00 EMP-1 \ud800""#, #""\ud83d\ude00 <staff> \ud800""#),
    ])
    func `JSON stays JSON`(json: String, clean: String) throws {
        let redactor = SecretRedactor().of(Self.content())
        #expect(redactor.clean(json: ByteSlice(json)).text == clean)
    }
}

import Common
import TestSupport
import Testing
import Upstream

@testable import Forwarder

@Suite struct FailedSpanTests {
    @Test func `an error status is told without output`() throws {
        let body = #"{"error":{"message":"Slow down, é","type":"requests","code":"rate_limit"}}"#
        let span = try SpanSample.span(status: 429, answer: [Array(body.utf8)])
        #expect(span.level == "ERROR")
        #expect(span.statusCode == 2)
        #expect(
            span.message == "HTTP 429: rate_limit: Slow down, é" || span.message == "HTTP 429: requests: Slow down, é")
        #expect(span.status["message"] as? String == span.message)
        #expect(span.string("error.type") == "429")
        #expect(span.integer("http.response.status_code") == "429")
        #expect(span.output == nil)
        #expect(span.input == #"{"messages":[]}"#)
        #expect(span.strings("langfuse.trace.tags")?.count == 7)
    }

    @Test(arguments: [
        (#"{"error":"bad"}"#, "HTTP 500: bad"), (#"{"message":"bad"}"#, "HTTP 500: bad"),
        (#"{"detail":"bad"}"#, "HTTP 500: bad"),
        ("bad", "HTTP 500: bad"), (#"{"x":1}"#, #"HTTP 500: {"x":1}"#), ("", "HTTP 500: "),
        (#"{"error":{"message":7}}"#, #"HTTP 500: {"message":7}"#),
    ])
    func `errors of all shapes are found`(body: String, message: String) throws {
        #expect(try SpanSample.span(status: 500, answer: [Array(body.utf8)]).message == message)
    }

    @Test func `an error of the gateway is told`() throws {
        let span = try #require(CompletionSpan(try SpanSample.job(#"{"model":"x","messages":[1]}"#)))
        let read = try ReadSpan(
            span.failed(
                .invalidRequest(code: "missing_provider", "The model names no provider."), at: SpanSample.start - 5))
        #expect(read.level == "ERROR")
        #expect(read.message == "The model names no provider.")
        #expect(read.string("error.type") == "missing_provider")
        #expect(read.output == nil)
        #expect(read.input == #"{"messages":[1]}"#)
        #expect(
            read.object["endTimeUnixNano"] as? String == read.object["startTimeUnixNano"] as? String,
            "an end is not before its start")
    }

    /// A stream that broke off keeps what came of it.
    @Test func `a broken off stream keeps what came`() throws {
        let span = try #require(CompletionSpan(try SpanSample.job(#"{"messages":[]}"#)))
        span.recordHead(UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/event-stream")]))
        span.take(
            Array("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n".utf8), at: SpanSample.start)
        let read = try ReadSpan(span.failed(.invalidRequest(code: "closed_early", "The provider hung up.")))
        #expect(read.output == #"{"role":"assistant","content":"x"}"#)
        #expect(read.string("langfuse.observation.completion_start_time") != nil)
        #expect(read.level == "ERROR")
    }

    @Test func `an error within a stream is an error`() throws {
        let events =
            #"data: {"choices":[{"index":0,"delta":{"content":"x"}}]}"# + "\n\n"
            + #"data: {"error":{"message":"overloaded"}}"# + "\n\n"
        let span = try SpanSample.span(type: "text/event-stream", answer: [Array(events.utf8)])
        #expect(span.level == "ERROR")
        #expect(span.message == "overloaded")
        #expect(span.statusCode == 2)
    }

    private static let client = "fwk_Client0Key0That0Has0No0Known0Form"
    private static let server = "0123456789abcdefserverkey"

    @Test(arguments: [
        "Incorrect API key provided: \(client).", "key=\(client)&x", "Bearer \(server)", "sk-proj-abcDEF_123",
        "(pk-lf-0123456789)",
        "Wrong key 01234567********rkey", "https://x/?key=AIzaSyA-123456789", "fwk_Clie...", "GSK_12345678",
        "eyJhbGciOi.abc.def",
    ])
    func `no key is shown`(quoted: String) throws {
        let body = #"{"error":{"message":"before \#(quoted) after"}}"#
        let span = try SpanSample.span(
            status: 401, answer: [Array(body.utf8)],
            requestHeaders: [HeaderField("authorization", "Bearer \(Self.server)")], key: Self.client)
        let message = try #require(span.message)
        #expect(message.contains("[key]"))
        #expect(message.hasPrefix("HTTP 401: before ") && message.hasSuffix(" after"))
        for secret in [
            Self.client, Self.server, "abcDEF_123", "0123456789", "SyA-123456789", "fwk_Clie", "12345678", "rkey",
            "eyJh",
        ] {
            #expect(!message.contains(secret), "\(message)")
        }
    }

    /// A key may have characters that no word of a sentence has.
    @Test func `a key of other characters is found as a whole`() {
        #expect(
            Redaction([SecretString("ab/cd+ef==")]).clean("the key ab/cd+ef==, twice: ab/cd+ef==")
                == "the key [key], twice: [key]")
    }

    @Test func `what is no key stays`() {
        let text =
            "The key (sk-…) of pk- was given to insertion 0198f3a0-0000-7000-8000-000000000001, see https://example.com/a_b."
        #expect(Redaction([SecretString("")]).clean(text) == text)
    }

    /// A key that lies across the end of what is looked at is not shown in half.
    @Test func `a long error is cut and stays free of keys`() throws {
        let filler = String(repeating: "é ", count: 333)
        for shift in 0..<40 {
            let text =
                filler + String(repeating: "x", count: shift) + " " + Self.client + " "
                + String(repeating: "y", count: 20_000)
            let clean = Redaction([SecretString(Self.client)]).clean(text)
            #expect(clean.utf8.count <= SpanLimits.message + 64)
            #expect(!clean.contains("fwk_"))
            #expect(clean.contains("cut by the gateway"))
        }
        let across = Redaction([SecretString(Self.client)]).clean(
            "a " + String(repeating: Self.client, count: 2000), limit: 1000)
        #expect(!across.contains("Key0That"))
    }
}

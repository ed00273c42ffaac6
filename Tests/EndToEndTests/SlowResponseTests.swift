import Common
import TestSupport
import Testing

/// Answers that come piece by piece, through the whole gateway. The provider says no more until the client has what it
/// has said.
@Suite(.timeLimit(.minutes(5))) struct SlowResponseTests {
    /// What the provider sends at once, and what the client then gets.
    typealias Step = (sent: [UInt8], shown: [UInt8])

    struct Sample: Sendable {
        var path: String
        var type: String
        var status = 200
        /// More of the request's body.
        var more = ""
        var steps: [Step]

        init(_ path: String, type: String, status: Int = 200, more: String = "", _ steps: [Step]) {
            (self.path, self.type, self.status, self.more, self.steps) = (path, type, status, more, steps)
        }

        init(_ path: String, type: String, status: Int = 200, more: String = "", _ texts: [String]) {
            self.init(path, type: type, status: status, more: more, texts.map { (Array($0.utf8), Array($0.utf8)) })
        }
    }

    private static let completions = ServeTests.path
    private static let stream = #","stream":true"#
    private static let answer = #"{"choices":[{"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#
    private static let event = #"data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"# + "\n\n"
    private static let usage = #"data: {"choices":[],"usage":{"prompt_tokens":1,"total_tokens":2}}"# + "\n\n"
    private static let keepAlive = [
        ": keep-alive\n", ": keep-alive\n\n", "\n", ":\r\n", event, ": keep-alive\n", "data: [DONE]\n\n",
    ]

    private static func binary(_ bytes: [UInt8]) -> Step { (bytes, bytes) }

    private static func text(_ sent: String, _ shown: String) -> Step { (Array(sent.utf8), Array(shown.utf8)) }

    /// Answers of every kind, with a server-sent stream among them that is not a completion.
    private static let kinds: [Sample] = [
        Sample(
            "/api/chat", type: "application/x-ndjson", (0..<5).map { #"{"text":"\#($0)","done":\#($0 == 4)}"# + "\n" }),
        Sample("/v1/audio/speech", type: "audio/mpeg", (0..<5).map { binary([0xFF, 0xFB, 0x90, $0, 0, 10, 13]) }),
        Sample(
            "/model/invoke-with-response-stream", type: "application/vnd.amazon.eventstream",
            (0..<5).map { binary([0, 0, 0, 12, 0, 0, 0, $0]) }),
        Sample(completions, type: "application/json", ["\n", "\n", "\n\n", answer]),
        Sample(
            completions, type: "application/json", more: #","stream":false"#,
            ["\n", String(answer.prefix(20)), String(answer.dropFirst(20)), "\n"]),
        Sample(
            completions, type: "application/json", status: 503, more: stream, [#"{"error":"#, #"{"message":"x"}"#, "}"]),
        Sample(completions, type: "text/plain", status: 429, ["slow", " down"]),
        Sample("/v1/responses", type: "text/event-stream", more: stream, keepAlive),
    ]

    /// Streams of completions. A part of an event waits for the rest of it, and nothing else does; only where the
    /// gateway asks for the usage, what comes before the first event waits for that.
    private static func streams(hidesUsage: Bool) -> [Sample] {
        let begun = #"data: {"choices":[{"index":0,"delta":{}"#
        let first: [Step] = hidesUsage ? [text(event, event)] : []
        return [
            Sample(completions, type: "text/event-stream", more: stream, first + keepAlive.map { text($0, $0) }),
            Sample(
                completions, type: "text/event-stream", more: stream + #","stream_options":{"include_usage":true}"#,
                keepAlive + [usage, ": end\n"]),
            Sample(
                completions, type: "text/event-stream", more: stream,
                first + [
                    text(": keep-alive\n" + begun, ": keep-alive\n"), text("}]}\n\n:", begun + "}]}\n\n:"),
                    text("\n" + event + usage + ": end\n", "\n" + event + (hidesUsage ? "" : usage) + ": end\n"),
                    text("\n", "\n"),
                ]),
            Sample(completions, type: "application/x-ndjson", more: stream, [answer + "\n", "\n", "{}\n"]),
        ]
    }

    /// Makes a call for each sample, whose number is its model.
    private func run(_ samples: [Sample], environment: [String: String]) async throws {
        let seen = samples.map { $0.steps.map { _ in TestSignal() } }
        try await HostileGateway.run(environment: environment) { connection, request in
            let number = try #require(request.firstMatch(of: /"model": "(\d+)"/).flatMap { Int($0.1) })
            let sample = samples[number]
            let head = "HTTP/1.1 \(sample.status) Slow\r\nContent-Type: \(sample.type)\r\nConnection: close\r\n"
            try await connection.write(head + ScriptedServer.Connection.chunked)
            for (step, signal) in zip(sample.steps, seen[number]) {
                try await connection.write(ScriptedServer.Connection.chunk(step.sent))
                await signal.wait()
            }
            try await connection.write("0\r\n\r\n")
        } _: { gateway in
            for (number, sample) in samples.enumerated() {
                try await withRawClient(to: gateway.port) { client in
                    let body = #"{"model": "keyless/\#(number)", "messages": []\#(sample.more)}"#
                    let headers = ["Connection: close", "Authorization: Bearer sk-client"]
                    try await client.send("POST", sample.path, headers: headers, body: body)
                    let head = try await client.head()
                    let isRight = head.status == sample.status && head["content-type"] == sample.type
                    #expect(isRight, "\(sample.path): \(head)")
                    for (step, signal) in zip(sample.steps, seen[number]) {
                        var bytes: [UInt8] = []
                        while bytes.count < step.shown.count, let chunk = try await client.chunk() { bytes += chunk }
                        #expect(bytes == step.shown, "\(sample.type): \(String(decoding: bytes, as: UTF8.self))")
                        signal.send()
                    }
                    #expect(try await client.chunk() == nil)
                }
            }
            try await gateway.forgetRollout()
        }
    }

    @Test func `each piece arrives before the next is sent`() async throws {
        try await run(Self.kinds + Self.streams(hidesUsage: false), environment: [:])
    }

    @Test func `of a traced project too`() async throws {
        try await run(Self.kinds + Self.streams(hidesUsage: true), environment: ["LANGFUSE_HOST": "embedded"])
    }

    /// A bound that is a setting: where bytes may lie for longer, an answer in two parts is whole when it leaves.
    @Test func `a longer interval collects more`() async throws {
        try await HostileGateway.run(environment: ["FLUSH_INTERVAL_MS": "10000"]) { connection, _ in
            try await connection.write(ScriptedServer.Connection.json + "Connection: close\r\n\r\n{")
            try await connection.pause(milliseconds: 100)
            try await connection.write("}")
        } _: { gateway in
            try await withRawClient(to: gateway.port) { client in
                let answer = try await client.call("POST", "/v1/embeddings", body: HostileGateway.body())
                #expect(answer.status == 200 && answer["content-length"] == "2" && answer.text == "{}")
            }
        }
    }
}

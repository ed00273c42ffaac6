import Common
import FoundationEssentials
import TestSupport
import Testing

/// Long runs of combining marks, wherever a text of a client or a provider goes. To normalise them, as Swift's own comparison does, takes quadratic time, and
/// everyone else would wait for it.
@Suite(.timeLimit(.minutes(10)), .serialized) struct MarksTests {
    /// 256 KB of marks in an order that normalisation would have to change. It takes seconds for them, and a debug build reads no more in the time of a test.
    private static let marks = String(repeating: "\u{323}\u{301}", count: 1 << 16)
    /// What fits into a request's head.
    private static let short = 6_000

    /// A request that carries a text somewhere. What is answered to it is no matter.
    struct Place: Sendable {
        var name: String
        var send: @Sendable (_ text: String, _ client: RawClient) async throws -> Void

        init(_ name: String, _ send: @escaping @Sendable (String, RawClient) async throws -> Void) {
            self.name = name
            self.send = send
        }

        /// A completion whose provider answers.
        static func answer(_ name: String, stream: Bool = false) -> Place {
            Place(name) { text, client in
                _ = try await client.call(
                    "POST", ServeTests.path, headers: ["X-Test: 1"],
                    body: HostileGateway.body("hostile/\(name) marks", stream: stream))
            }
        }

        /// A GET, with the text percent-encoded.
        static func get(_ name: String, _ target: @escaping @Sendable (_ text: String) -> String) -> Place {
            Place(name) { text, client in _ = try await client.call("GET", target(cut(text))) }
        }

        /// A header of a completion.
        static func header(_ name: String, _ beginning: String = "") -> Place {
            Place("header \(name)") { text, client in
                let text = String(text.prefix(MarksTests.short))
                _ = try await client.call("POST", ServeTests.path, headers: ["\(name): \(beginning)\(text)"], body: ServeTests.body("mock/echo"))
            }
        }

        /// As much as a request line can carry, percent-encoded.
        static func cut(_ text: String) -> String { PercentEncoding.segment(String(text.prefix(MarksTests.short / 3))) }
    }

    static let heads: [Place] = [
        .header("Accept"), .header("Authorization", "Bearer "), .header("Authorization"), .header("Prefer"), .header("Idempotency-Key"),
        .header("If-None-Match"), .header("User-Agent"), .header("Cookie"), .header("Origin"), .header("Expect"), .header("Connection"),
        .header("Content-Type"), .header("X-Api-Key"), .header("Last-Event-ID"), .header("Accept-Encoding"), .header("Transfer-Encoding"),
        .header("Host"), .header("Upgrade"), .header("Content-Encoding"), .header("Traceparent"), .header("X-Other"),
        .get("an id in a path") { "/rollout_id/\($0)/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions" },
        .get("a project in a path") { "/project_id/\($0)/traces" },
        .get("a rollout in a path") { "/rollouts/\($0)" },
        .get("any other path") { "/\($0)" },
        .get("a parameter's name") { "/traces?\($0)=1&\($0)b=2" },
        .get("a tag of /traces") { "/traces?tags=rollout_id:r&tags=\($0)" },
        .get("two rollouts of /traces") { "/traces?tags=rollout_id:\($0)a&tags=rollout_id:\($0)b" },
        .get("a name of /traces") { "/traces?tags=rollout_id:demo&name=\($0)&max_retries=0" },
        .get("fields of /traces") { "/traces?tags=rollout_id:demo&fields=\($0)" },
        .get("a number of /traces") { "/traces?tags=rollout_id:demo&limit=\($0)&hours_back=\($0)" },
        .get("a switch of /traces") { "/traces?tags=rollout_id:demo&include_payloads=\($0)" },
        .get("a project of /traces") { "/traces?tags=rollout_id:demo&project_id=\($0)" },
        .get("a tag of /rollouts") { "/rollouts?tag=run_id:\($0)" },
        .get("a tag's name of /rollouts") { "/rollouts?tag=\($0):x" },
        .get("the rollout of /status") { "/status?rollout_id=\($0)" },
        .get("the rollout of /logs") { "/logs?tags=rollout_id:\($0)" },
        Place("a query that is not encoded") { text, client in
            _ = try await client.call("GET", "/traces?tags=rollout_id:demo&name=\(String(text.prefix(short)))")
        },
        Place("a base URL") { text, client in
            let url = Data("http://127.0.0.1/\(String(text.prefix(short / 3)))".utf8).base64EncodedString().replacing("/", with: "_")
            let path = ServeTests.path.replacing("/chat", with: "/encoded_base_url/\(url.replacing("+", with: "-"))/chat")
            _ = try await client.call("POST", path, body: ServeTests.body("openai/x"))
        },
    ]

    /// What a provider says. Its name is the model's, so that the script knows it.
    static let answers: [(place: Place, text: @Sendable (String) -> String)] = [
        (.answer("id"), { #"{"id":"\#($0)","choices":[]}"# }),
        (.answer("model"), { #"{"model":"\#($0)","choices":[]}"# }),
        (.answer("finish"), { #"{"choices":[{"finish_reason":"\#($0)","message":{"role":"\#($0)","content":"x"}}]}"# }),
        (.answer("name"), { #"{"\#($0)":1,"\#($0)b":2,"usage":{"\#($0)":1}}"# }),
        (.answer("error"), { #"{"error":{"message":"\#($0)","code":"\#($0)","type":"\#($0)","\#($0)":1}}"# }),
        (.answer("tool"), { #"{"choices":[{"message":{"tool_calls":[{"id":"\#($0)","function":{"name":"\#($0)","arguments":"\#($0)"}}]}}]}"# }),
        (.answer("text"), { $0 }),
        (.answer("stream-id", stream: true), { "data: {\"id\":\"\($0)\",\"choices\":[]}\n\n" }),
        (.answer("stream-delta", stream: true), { #"data: {"choices":[{"index":0,"delta":{"role":"\#($0)","content":"\#($0)"}}]}"# + "\n\n" }),
        (.answer("stream-names", stream: true), { #"data: {"choices":[{"index":0,"delta":{"\#($0)":"a","\#($0)b":"c"}}]}"# + "\n\n" }),
        (
            .answer("stream-tool", stream: true),
            { #"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"\#($0)","function":{"name":"\#($0)"}}]}}]}"# + "\n\n" }
        ),
        (.answer("stream-error", stream: true), { #"data: {"error":{"message":"\#($0)","code":"\#($0)"}}"# + "\n\n" }),
        (.answer("stream-field", stream: true), { "\($0): x\nevent: \($0)\n: \($0)\n\n" }),
        (.answer("stream-finish", stream: true), { #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"\#($0)"}]}"# + "\n\n" }),
    ]

    static let answerHeaders = ["Content-Type", "Content-Encoding", "Retry-After", "X-Should-Retry", "X-Other", "Connection", "Content-Length"]

    @Test func aHeadOfMarksKeepsNobodyWaiting() async throws { try await withstand(Self.heads) }

    @Test func anAnswerOfMarksKeepsNobodyWaiting() async throws {
        try await withstand(Self.answers.map(\.place) + Self.answerHeaders.map { .answer("header \($0)") })
    }

    private func withstand(_ places: [Place]) async throws {
        try await HostileGateway.run(environment: ["LANGFUSE_HOST": "embedded", "MAX_HEADER_BYTES": "65536"]) { connection, request in
            try await connection.write(Self.answer(to: request))
        } _: { gateway in
            for place in places { try await withstand(place, gateway.port) }
        }
    }

    /// What the provider says to a request that names its part of the table.
    private static func answer(to request: String) -> String {
        for (place, answer) in answers where request.utf8.firstRange(of: "\"\(place.name) ".utf8) != nil {
            let body = answer(marks)
            let type = place.name.utf8.starts(with: "stream".utf8) ? "text/event-stream" : "application/json"
            return "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        }
        for header in answerHeaders where request.utf8.firstRange(of: "\"header \(header) ".utf8) != nil {
            return "HTTP/1.1 200 OK\r\n\(header): \(marks.prefix(short))\r\nConnection: close\r\n\r\n{}"
        }
        return HostileGateway.good
    }

    private static let bystanders = [
        Bystanders.Asking("health", "GET", "/health"), Bystanders.Asking("the same", "GET", "/health"),
        Bystanders.Asking("once more", "GET", "/health"),
        Bystanders.Asking("a completion", "POST", "/v1/chat/completions", body: ServeTests.body("mock/echo")),
        Bystanders.Asking("a verdict", "GET", "/rollouts?limit=1"),
    ]

    /// A debug build on a busy machine keeps others waiting for some hundred milliseconds, for letters as well. To normalise so many marks takes more
    /// than 20 seconds, and others wait for all of them.
    private func withstand(_ place: Place, _ port: Int) async throws {
        let wait = try await longestWait(place, Self.marks, port)
        #expect(wait < .seconds(5), "\(place.name)")
    }

    private func longestWait(_ place: Place, _ text: String, _ port: Int) async throws -> Duration {
        try await Bystanders.wait(for: Self.bystanders, at: port) {
            // The connection may be closed instead of an answer.
            _ = try? await withRawClient(to: port) { try await place.send(text, $0) }
        }
    }
}

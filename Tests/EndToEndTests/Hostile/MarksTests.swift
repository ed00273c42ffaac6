import Common
import FoundationEssentials
import NIOConcurrencyHelpers
import TestSupport
import Testing

/// Long runs of combining marks, wherever a text of a client or a provider goes. To normalise them, as Swift's own
/// comparison does, takes quadratic time, and everyone else would wait for it.
@Suite(.timeLimit(.minutes(10)), .serialized) struct MarksTests {
    /// 256 KB in an order that normalisation would have to change. Percent-encoded they fit into the largest head that
    /// MAX_HEADER_BYTES allows.
    private static let marks = String(repeating: "\u{323}\u{301}", count: 1 << 16)
    /// As many as a provider's head may hold.
    private static let short = String(marks.unicodeScalars.prefix(30_000))

    /// A request that carries a text somewhere. What is answered to it is no matter.
    struct Place: Sendable {
        var name: String
        var send: @Sendable (_ text: String, _ client: RawClient) async throws -> HTTPAnswer

        init(_ name: String, _ send: @escaping @Sendable (String, RawClient) async throws -> HTTPAnswer) {
            self.name = name
            self.send = send
        }

        /// A completion whose provider answers.
        static func answer(_ name: String, stream: Bool = false) -> Place {
            Place(name) { text, client in
                try await client.call(
                    "POST", ServeTests.path, headers: ["X-Test: 1"],
                    body: HostileGateway.body("hostile/\(name) marks", stream: stream))
            }
        }

        /// A GET, with half of the text percent-encoded, so that it may stand there twice.
        static func get(_ name: String, _ target: @escaping @Sendable (_ text: String) -> String) -> Place {
            Place(name) { text, client in
                try await client.call(
                    "GET", target(PercentEncoding.segment(String(text.unicodeScalars.prefix(1 << 16)))))
            }
        }

        /// A header of a completion.
        static func header(_ name: String, _ beginning: String = "") -> Place {
            Place("header \(name)") { text, client in
                try await client.call(
                    "POST", ServeTests.path, headers: ["\(name): \(beginning)\(text)"],
                    body: ServeTests.body("mock/echo"))
            }
        }
    }

    static let heads: [Place] = [
        .header("Accept"), .header("Authorization", "Bearer "), .header("Authorization"), .header("Prefer"),
        .header("Idempotency-Key"),
        .header("If-None-Match"), .header("User-Agent"), .header("Cookie"), .header("Origin"), .header("Expect"),
        .header("Connection"),
        .header("Content-Type"), .header("X-Api-Key"), .header("Last-Event-ID"), .header("Accept-Encoding"),
        .header("Transfer-Encoding"),
        .header("Host"), .header("Upgrade"), .header("Content-Encoding"), .header("Traceparent"), .header("X-Other"),
        .get("an id in a path") {
            "/rollout_id/\($0)/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions"
        },
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
            try await client.call("GET", "/traces?tags=rollout_id:demo&name=\(text)")
        },
        Place("a base URL") { text, client in
            let url = Data("http://127.0.0.1/\(text)".utf8).base64EncodedString().replacing("/", with: "_")
            let path = ServeTests.path.replacing(
                "/chat", with: "/encoded_base_url/\(url.replacing("+", with: "-"))/chat")
            return try await client.call("POST", path, body: ServeTests.body("openai/x"))
        },
    ]

    /// Headers that a provider sends; what its bodies hold is in Tests/Clients/test_marks.py.
    static let answerHeaders = [
        "Content-Type", "Content-Encoding", "Retry-After", "X-Should-Retry", "X-Other", "Connection",
    ]

    @Test func `a head of marks keeps no other waiting`() async throws {
        try await withstand(Self.heads, within: .seconds(8))
    }

    @Test func `an answer's head of marks keeps no other waiting`() async throws {
        try await withstand(Self.answerHeaders.map { .answer("header \($0)") }, within: .seconds(1))
    }

    private func withstand(_ places: [Place], within bound: Duration) async throws {
        try await HostileGateway.run(environment: ["LANGFUSE_HOST": "embedded", "MAX_HEADER_BYTES": "1MiB"]) {
            connection, request in
            try await connection.write(Self.answer(to: request))
        } _: { gateway in
            for place in places { try await withstand(place, gateway.port, within: bound) }
        }
    }

    /// What the provider says to a request that names its part of the table.
    private static func answer(to request: String) -> String {
        for header in answerHeaders where request.utf8.firstRange(of: "\"header \(header) ".utf8) != nil {
            return "HTTP/1.1 200 OK\r\n\(header): \(short)\r\nConnection: close\r\n\r\n{}"
        }
        return HostileGateway.good
    }

    private static let bystanders = [
        Bystanders.Asking("health", "GET", target: "/health"), Bystanders.Asking("the same", "GET", target: "/health"),
        Bystanders.Asking("once more", "GET", target: "/health"),
        Bystanders.Asking("a completion", "POST", target: "/v1/chat/completions", body: ServeTests.body("mock/echo")),
        Bystanders.Asking("a verdict", "GET", target: "/rollouts?limit=1"),
    ]

    /// A debug build on a busy machine keeps others waiting for some hundred milliseconds, for letters as well. To
    /// normalise the marks of a head takes more than 20 seconds, those of an answer's head more than one, and others
    /// wait for all of it.
    private func withstand(_ place: Place, _ port: Int, within bound: Duration) async throws {
        let answered = NIOLockedValueBox<HTTPAnswer?>(nil)
        let wait = try await Bystanders.wait(for: Self.bystanders, at: port) {
            // The connection may be closed instead of an answer.
            let answer = try? await withRawClient(to: port) { try await place.send(Self.marks, $0) }
            answered.withLockedValue { $0 = answer }
        }
        #expect(wait < bound, "\(place.name)")
        // What is refused for its size alone is not read.
        let answer = answered.withLockedValue { $0 }
        #expect(answer?.status != 431 && answer?.error?.code != "answer_too_large", "\(place.name)")
    }
}

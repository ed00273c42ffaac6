import Common
import TestSupport
import Testing

/// What is refused, how it is said, and that nothing of it reaches Redis.
@Suite(.timeLimit(.minutes(5))) struct RefusalTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var method = "POST"
        var target = LiveIngress.path
        var body = LiveIngress.body
        var status = 400
        var code: String
        var param: String?
        var testDescription: String { "\(method) \(target.suffix(50)) \(body.prefix(30)) -> \(status) \(code)" }
    }

    static let refusals: [Refusal] = [
        Refusal(body: "", code: "empty_body"),
        Refusal(body: "hello", code: "invalid_json"),
        Refusal(body: "[1]", code: "json_not_an_object"),
        Refusal(body: #"{"model":"a","model":"b"}"#, code: "duplicate_key", param: "model"),
        Refusal(body: #"{"model":"a","mod\u0065l":"b"}"#, code: "duplicate_key", param: "model"),
        Refusal(body: #"{"model":"a"} {}"#, code: "invalid_json"),
        Refusal(body: #"{"messages":[]}"#, code: "missing_model", param: "model"),
        Refusal(body: #"{"model":7}"#, code: "invalid_model", param: "model"),
        Refusal(body: #"{"model":""}"#, code: "invalid_model", param: "model"),
        Refusal(body: #"{"model":"a","stream":"yes"}"#, code: "invalid_stream", param: "stream"),
        Refusal(
            body: #"{"model":"a","x":"# + String(repeating: "[", count: 200) + String(repeating: "]", count: 200) + "}",
            code: "json_too_deep"),
        Refusal(target: "/rollout_id/r1/chat/completions", code: "invalid_path", param: "invocation_id"),
        Refusal(
            target: "/rollout_id//invocation_id/i/experiment_id/e/run_id/n/row_id/7/chat/completions",
            code: "invalid_path", param: "rollout_id"),
        Refusal(target: "/invocation_id/r1/rollout_id/r/chat/completions", code: "invalid_path", param: "rollout_id"),
        Refusal(target: LiveIngress.path.replacing("r1", with: "a%2fb"), code: "invalid_path", param: "rollout_id"),
        Refusal(target: LiveIngress.path.replacing("r1", with: "a%0d%0ab"), code: "invalid_path", param: "rollout_id"),
        Refusal(
            target: LiveIngress.path.replacing("r1", with: String(repeating: "a", count: 129)), code: "invalid_path",
            param: "rollout_id"),
        Refusal(
            target: "/project_id/nobody" + LiveIngress.path, status: 404, code: "unknown_project", param: "project_id"),
        Refusal(target: "/project_id/nobody/models", status: 404, code: "unknown_project", param: "project_id"),
        Refusal(
            target: "/project_id/main/project_id/sibling" + LiveIngress.path, code: "invalid_path", param: "project_id"),
        Refusal(
            target: LiveIngress.path.replacing("/chat", with: "/encoded_base_url/aHR0cDovLzE2OS4yNTQuMTY5LjI1NC8/chat"),
            code: "invalid_base_url",
            param: "encoded_base_url"),
        Refusal(
            target: LiveIngress.path.replacing("/chat", with: "/encoded_base_url/!!!/chat"), code: "invalid_path",
            param: "encoded_base_url"),
        Refusal(method: "GET", body: "", status: 405, code: "method_not_allowed"),
        Refusal(method: "HEAD", body: "", status: 405, code: "method_not_allowed"),
        Refusal(method: "OPTIONS", body: "", status: 405, code: "method_not_allowed"),
        Refusal(method: "PUT", target: "/chat/completions", status: 405, code: "method_not_allowed"),
        Refusal(target: "//v1/models", code: "invalid_path"),
        Refusal(target: "/models/../health", code: "invalid_path"),
        Refusal(target: "/models/%2e%2e/health", code: "invalid_path"),
        Refusal(target: "/files/a%2fb", code: "invalid_path"),
        Refusal(target: "/models\\x", code: "invalid_path"),
        Refusal(target: "/models/%zz", code: "invalid_path"),
    ]

    @Test(arguments: refusals) func `a refused request leaves nothing behind`(refusal: Refusal) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            try await ingress.connect { client in
                let answer = try await client.call(refusal.method, refusal.target, body: refusal.body)
                #expect(answer.status == refusal.status)
                #expect(answer["content-type"] == "application/json")
                #expect(answer["x-insertion-id"].flatMap { InsertionID($0) } != nil)
                #expect(answer["x-request-id"] == answer["x-insertion-id"])
                if refusal.method != "HEAD" {
                    let error = try #require(answer.error, "\(answer.text)")
                    #expect(error.code == refusal.code)
                    #expect(error.param == refusal.param, "\(error)")
                    #expect(
                        !error.message.contains("sibling") || refusal.target.contains("sibling"),
                        "the other projects are nobody's business")
                }
                #expect(try await client.call("GET", "/health").status == 200, "the connection goes on")
            }
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `not UTF8 is refused`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                let body = Array(#"{"model":"a","x":""#.utf8) + [0xFF, 0xC0] + Array(#""}"#.utf8)
                try await client.send(
                    Array("POST \(LiveIngress.path) HTTP/1.1\r\nHost: g\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
                        + body)
                #expect(try await client.answer().error?.code == "invalid_utf8")
            }
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a 405 says what is allowed and a 401 what is asked for`() async throws {
        let auth = APIKeyAuthTests.auth
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", LiveIngress.path)
            #expect(answer["allow"] == "POST")
        }
        try await LiveIngress.run({ $0.auth = auth }) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 401 && answer.error?.code == "missing_api_key")
            #expect(answer["www-authenticate"] == "Bearer")
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a full queue refuses by entries`() async throws {
        try await LiveIngress.run({ $0.settings.queue.limit = 2 }) { ingress in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask { try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body).status }
                }
                try await eventually { try await ingress.queued() == 2 }
                try await expectFull(ingress, naming: "QUEUE_LIMIT")
                try await ingress.forwarder.answer(next: 2) { _ in "{}" }
                for try await status in group { #expect(status == 200, "what was accepted is not lost") }
            }
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await reply.status == 200, "there is room again")
        }
    }

    @Test func `a full queue refuses by bytes`() async throws {
        try await LiveIngress.run({ $0.settings.queue.bytes = 1000 }) { ingress in
            let large = LiveIngress.body + String(repeating: " ", count: 2000)
            async let first = ingress.call("POST", LiveIngress.path, body: large)
            try await eventually { try await ingress.queued() == 1 }
            try await expectFull(ingress, naming: "QUEUE_BYTES")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await first.status == 200, "a single job is let in whatever its size")
        }
    }

    private func expectFull(_ ingress: LiveIngress, naming setting: String) async throws {
        let answer = try await ingress.call(
            "POST", LiveIngress.path.replacing("r1", with: "late"), body: LiveIngress.body)
        #expect(answer.status == 429)
        #expect(answer.error?.message.contains(setting) == true)
        let seconds = try #require(answer["retry-after"].flatMap { Int($0) })
        #expect((1...60).contains(seconds))
        #expect(try await !ingress.keys().contains("late"), "a refused completion is in no set")
    }
}

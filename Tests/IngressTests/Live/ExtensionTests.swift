import Common
import Hummingbird
import Ingress
import TestSupport
import Testing

/// What an operator's own build adds.
@Suite(.timeLimit(.minutes(5))) struct ExtensionTests {
    struct Hook: ChatHook {
        var change: @Sendable (inout ChatCall) async throws -> Void
        func prepare(_ call: inout ChatCall) async throws { try await change(&call) }
    }

    private func run(_ hooks: [Hook], _ body: (LiveIngress) async throws -> Void) async throws {
        try await LiveIngress.run({ $0.extensions.chatHooks = hooks }, body)
    }

    @Test func `hooks run in order and change body and IDs`() async throws {
        let first = Hook { call in
            #expect(
                call.project == "sibling" && call.headers[.accept] == "text/plain" && call.baseURL == nil
                    && call.account == nil)
            #expect(String(decoding: call.body, as: UTF8.self) == LiveIngress.body)
            call.rollout?.run = "nightly"
            call.body = Array(#"{"model":"first"}"#.utf8)
        }
        let second = Hook { call in
            #expect(call.rollout?.run == "nightly")
            call.body = Array(#"{"model":"second","stream":true}"#.utf8)
            call.rollout?.rollout = "moved"
        }
        try await run([first, second]) { ingress in
            async let reply = ingress.call(
                "POST", "/project_id/sibling" + LiveIngress.path, headers: ["Accept: text/plain"],
                body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.model == "second" && taken.job.isStream && taken.job.rollout?.run == "nightly")
            let kept = KeySpace(defaultProject: "main").keys(of: Rollout("moved", project: "sibling")).kept
            #expect(try await ingress.keys() == Set([Keys.jobs, Keys.jobBytes, "project/sibling/moved"] + kept))
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test func `a hook refuses with its own error`() async throws {
        let refusal = GatewayError(
            status: 402, type: "billing_error", code: "no_budget", message: "Ask for a budget.", retryAfter: 90)
        try await run([Hook { _ in throw refusal }]) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 402 && answer.error?.code == "no_budget" && answer["retry-after"] == "60")
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a hook that fails tells nothing of it`() async throws {
        struct Failure: Error { var text = "secret-of-the-hook" }
        try await run([Hook { _ in throw Failure() }]) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 500 && answer.error?.code == "internal_error")
            #expect(!answer.text.contains("secret-of-the-hook"))
            #expect(try await ingress.queued() == 0)
        }
    }

    /// What a hook leaves is checked like a client's own.
    @Test(arguments: [#"{"messages":[]}"#, "not json", #"{"model":"a","model":"b"}"#])
    func `a hook cannot queue a bad body`(
        body: String
    ) async throws {
        try await run([Hook { $0.body = Array(body.utf8) }]) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 400)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test(arguments: ["http://169.254.169.254/", "file:///etc/passwd", "http://user:pass@example.com/", "nonsense"])
    func `a hook cannot queue a bad base URL`(url: String) async throws {
        try await run([Hook { $0.baseURL = url }]) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(answer.status == 400 && answer.error?.param == "encoded_base_url")
            #expect(try await ingress.queued() == 0)
        }
    }

    struct AboutTraces: TracesHook {
        var change: @Sendable (inout TracesQuestion) async throws -> Void
        func prepare(_ question: inout TracesQuestion) async throws { try await change(&question) }
    }

    @Test(arguments: ["/traces", "/traces/pointwise"]) func `hooks change what is asked about traces`(
        path: String
    ) async throws {
        let first = AboutTraces { question in
            #expect(question.items.map(\.name) == ["tags", "limit"] && question.items[0].value == "rollout_id:a b")
            #expect(
                question.isPointwise == (path == "/traces/pointwise") && question.project == "sibling"
                    && question.account == nil)
            #expect(question.headers[.accept] == "text/plain")
            question.items[0].value = "rollout_id:c&d"
        }
        let second = AboutTraces { $0.items.append(("max_retries", "1")) }
        try await LiveIngress.run({ $0.extensions.tracesHooks = [first, second] }) { ingress in
            try await withRedisClient(ingress.server.endpoint) { reader in
                let verifier = ScriptedForwarder(
                    commands: ingress.redis, reader: reader, envelope: ingress.forwarder.envelope, queue: .verifications
                )
                try await verifier.join()
                async let reply = ingress.call(
                    "GET", "/project_id/sibling\(path)?tags=rollout_id:a+b&limit=5", headers: ["Accept: text/plain"])
                let taken = try await verifier.take()
                #expect(taken.job.path == path && taken.job.query == "tags=rollout_id%3Ac%26d&limit=5&max_retries=1")
                try await verifier.answer(taken, body: "{}")
                #expect(try await reply.status == 200)
            }
        }
    }

    @Test func `a hook refuses a question with its own error`() async throws {
        let refusal = GatewayError(
            status: 403, type: "permission_error", code: "not_yours", message: "Ask for your own traces.")
        try await LiveIngress.run({ $0.extensions.tracesHooks = [AboutTraces { _ in throw refusal }] }) { ingress in
            let answer = try await ingress.call("GET", "/traces?tags=rollout_id:r1")
            #expect(answer.status == 403 && answer.error?.code == "not_yours")
        }
    }

    @Test func `further routes go before the backend and behind the gateway's own`() async throws {
        let routes: @Sendable (Router<GatewayContext>) -> Void = { router in
            router.get("/motd") { _, context in "hello \(context.insertionID?.description ?? "nobody")" }
            router.get("/health") { _, _ in "mine" }
            router.post("/chat/completions") { _, _ in "mine" }
            router.get("/teapot") { _, _ -> String in throw HTTPError(.init(code: 418), message: "short and stout") }
            router.get("/refused") { _, _ -> String in throw GatewayError.invalidRequest(code: "refused", "No.") }
        }
        try await LiveIngress.run({ $0.extensions.routes = routes }) { ingress in
            let motd = try await ingress.call("GET", "/motd")
            #expect(motd.status == 200)
            #expect(motd.text == "hello \(motd["x-insertion-id"] ?? "")", "a route sees the id that its answer bears")
            let head = try await ingress.call("HEAD", "/motd")
            #expect(head.status == 200)
            #expect(try await ingress.call("GET", "/teapot").status == 418)
            #expect(try await ingress.call("GET", "/refused").error?.code == "refused")
            #expect(try await ingress.call("GET", "/health").text.contains("metadata-proxy"))
            for (method, path) in [("POST", "/chat/completions"), ("POST", "/motd"), ("GET", "/motd/x")] {
                async let reply = ingress.call(method, path, body: method == "POST" ? LiveIngress.body : "")
                try await ingress.forwarder.answer(next: 1) { "\($0.method) \($0.path)" }
                #expect(try await reply.text == "\(method) \(path)", "the gateway's own")
            }
        }
    }
}

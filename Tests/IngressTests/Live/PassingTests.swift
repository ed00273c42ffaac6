import Common
import Redis
import TestSupport
import Testing

/// An answer as a client sees it: the provider's bytes, the allowed headers, and the ids.
@Suite(.timeLimit(.minutes(5))) struct PassingTests {
    /// The gateway's own prefixes, each of which a completion may have.
    static let prefixes = ["", "/v1", "/project_id/sibling", "/v1/project_id/sibling", "/project_id/sibling/v1"]

    @Test func `a body passes byte for byte both ways`() async throws {
        let question =
            "{ \"model\" :\"openai/gpt\",\r\n \"n\":1.50e+01, \"x\":\"\\u00e9\u{e9}\" , \"seed\": 12345678901234567890 }\n"
        let answer = "{\"id\":\"a\",\n\"n\": 1E400 , \"text\":\"\u{1F600}\\/\"}\r\n"
        try await LiveIngress.run { ingress in
            async let reply = ingress.call("POST", LiveIngress.path, body: question)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.body == Array(question.utf8))
            try await ingress.forwarder.answer(taken, body: answer)
            #expect(try await reply.status == 200)
            #expect(try await reply.body == Array(answer.utf8))
            #expect(try await reply["content-length"] == "\(answer.utf8.count)")
            #expect(try await reply["x-insertion-id"] == taken.job.insertionID.description)
            #expect(try await reply["x-request-id"] == taken.job.insertionID.description)
        }
    }

    @Test(arguments: prefixes) func `a completion is recorded under its project`(prefix: String) async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call(
                "POST", prefix + LiveIngress.path + "?a=b%20c",
                headers: ["Authorization: bearer  sk-client", "X-Stainless-Lang: python"],
                body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            let job = taken.job
            let project = prefix.contains("sibling") ? "sibling" : "main"
            #expect(job.project == project)
            #expect(job.rollout == RolloutIDs(rollout: "r1", invocation: "i1", experiment: "e1", run: "n1", row: "7"))
            #expect(
                (job.method, job.path, job.query, job.model) == ("POST", "/chat/completions", "a=b%20c", "openai/gpt"))
            #expect(job.clientKey?.reveal() == "sk-client")
            #expect(job.headers.first(named: "x-stainless-lang") == "python")
            for name in ["authorization", "host", "content-length"] { #expect(job.headers.first(named: name) == nil) }
            let set = try await ingress.redis.send(
                RedisCommand("SMEMBERS", project == "main" ? "r1" : "project/sibling/r1"))
            #expect(set.array?.map(\.string) == [job.insertionID.description])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test(arguments: ["/chat/completions", "/v1/chat/completions", "/project_id/sibling/chat/completions"])
    func `a completion without a rollout is in no set`(path: String) async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call("POST", path, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.rollout == nil)
            #expect(try await ingress.keys() == [Keys.jobs, Keys.jobBytes])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test(arguments: ["GET", "PUT", "DELETE", "PATCH", "POST", "HEAD", "OPTIONS"])
    func `any other call goes to the backend`(
        method: String
    ) async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call(
                method, "/v1/models/a%20b?q=1", body: method == "GET" || method == "HEAD" ? "" : "no json")
            let taken = try await ingress.forwarder.take()
            #expect((taken.job.method, taken.job.path, taken.job.query) == (method, "/models/a%20b", "q=1"))
            #expect(taken.job.model == nil && taken.job.rollout == nil)
            try await ingress.forwarder.answer(taken, body: "[]")
            #expect(try await reply.status == 200)
        }
    }

    /// What an answer may not have a body for, has none: the connection stays in step.
    @Test(arguments: [("HEAD", 200), ("GET", 204), ("GET", 304)])
    func `an answer without a body keeps the connection in step`(
        method: String, status: Int
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send(method, "/v1/files/1")
                let taken = try await ingress.forwarder.take()
                try await ingress.forwarder.answer(taken, status: status, body: status == 200 ? "12345" : "")
                #expect(try await client.answer(hasBody: false).status == status)
                #expect(try await client.call("GET", "/health").status == 200)
            }
        }
    }

    @Test func `headers that a forwarder let through are passed and framing is made anew`() async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            let headers = [
                HeaderField("Content-Type", "application/json; charset=utf-8"),
                HeaderField("x-ratelimit-remaining-tokens", "7"),
                HeaderField("Retry-After", "3"), HeaderField("X-Request-Id", "req_provider"),
                HeaderField("bad name", "x"),
                HeaderField("openai-organization", "a\r\nset-cookie: b"),
            ]
            try await ingress.forwarder.answer(taken, status: 429, headers: headers, body: "{}")
            let answer = try await reply
            #expect(answer.status == 429)
            #expect(answer["content-type"] == "application/json; charset=utf-8")
            #expect(answer["x-ratelimit-remaining-tokens"] == "7" && answer["retry-after"] == "3")
            #expect(answer["x-request-id"] == "req_provider", "the provider's own, for its support")
            #expect(answer["x-insertion-id"] == taken.job.insertionID.description)
            #expect(answer["set-cookie"] == nil && answer["bad name"] == nil)
            #expect(answer["date"] != nil)
            #expect(answer.headers.filter { $0.name.lowercased() == "content-length" }.count == 1)
        }
    }

    /// Headers of one connection, and keys, never travel.
    @Test(arguments: ["Cookie", "Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer", "Upgrade"])
    func `a header of the connection stays`(name: String) async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call(
                "POST", LiveIngress.path, headers: ["\(name): value"], body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.headers.first(named: name) == nil)
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test(arguments: [
        "__proto__", "constructor", "{}", "*", "{a}", "0", "gateway", "%00x".replacing("%00", with: "%C3%A9"),
        "'; DROP", "$(id)", "%25",
    ])
    func `an id is only a value`(id: String) async throws {
        let encoded = id.replacing(" ", with: "%20")
        try await LiveIngress.run { ingress in
            async let reply = ingress.call(
                "POST",
                "/rollout_id/\(encoded)/invocation_id/\(encoded)/experiment_id/e/run_id/n/row_id/\(encoded)/chat/completions",
                body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            let rollout = try #require(taken.job.rollout)
            #expect(rollout.rollout == rollout.invocation && rollout.rollout == rollout.row)
            let kept = KeySpace(defaultProject: "main").keys(of: Rollout(rollout.rollout, project: "main")).kept
            #expect(try await ingress.keys() == Set([Keys.jobs, Keys.jobBytes] + kept))
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }
}

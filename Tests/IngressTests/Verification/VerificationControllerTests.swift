import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Queue
@testable import Redis

/// The ingress's part of the questions about rollouts: who may ask, and what is answered without a verifier.
@Suite(.timeLimit(.minutes(5))) struct VerificationControllerTests {
    static let targets = [
        "/rollouts", "/rollouts/r1", "/traces?tags=rollout_id:r1", "/traces/pointwise?tags=rollout_id:r1",
    ]

    @Test(arguments: targets, ["", "/v1"])
    func `a key opens its projects rollouts only`(target: String, version: String) async throws {
        let key = "Authorization: Bearer " + APIKeyAuthTests.shared + "-a"
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let before = try await ingress.keys()
            #expect(try await ingress.call("GET", version + target).status == 401)
            var foreign = ["/project_id/sibling" + target]
            // Where the path names no project, the query may.
            if target.contains("?") { foreign.append(target + "&project_id=sibling") }
            for path in foreign {
                let answer = try await ingress.call("GET", version + path, headers: [key])
                #expect(answer.status == 404 && answer.error?.code == "unknown_project", "\(path): \(answer.text)")
            }
            #expect(try await ingress.keys() == before, "nothing was asked of a verifier")
            let own = try await ingress.call("GET", version + target, headers: [key])
            #expect(own.status == (target == "/rollouts" ? 200 : 503))
        }
    }

    @Test(arguments: targets.dropFirst()) func `without a verifier it says so`(target: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", target)
            #expect(answer.status == 503 && answer.error?.code == "no_verifier", "\(answer.text)")
            #expect(answer["retry-after"] == "5")
        }
    }

    /// A verifier that is lost with its question does not hold the client.
    @Test func `a wait ends though no verifier answers`() async throws {
        try await LiveIngress.run { ingress in
            let lost = JobStream(
                .verifications, consumer: "lost", commands: ingress.redis, reader: ingress.redis,
                deadLetterLimit: 10)
            _ = try await lost.beat()
            try await lost.join()
            let began = ContinuousClock.now
            let answer = try await ingress.call("GET", "/rollouts/r1?wait=1")
            #expect(answer.status == 503 && answer.error?.code == "verifier_busy", "\(answer.text)")
            #expect(answer["retry-after"] == "5" && began.duration(to: .now) < .seconds(60))
        }
    }

    /// Other programs may write to Redis.
    @Test(arguments: [("inf", "+inf"), ("-inf", "-inf"), ("huge", "1e300"), ("negative", "-5"), ("part", "1500.9")])
    func `a rollout of any score is listed`(name: String, score: String) async throws {
        try await LiveIngress.run { ingress in
            _ = try await ingress.redis.send(RedisCommand("ZADD", Keys.rollouts(project: "main"), score, name))
            let answer = try await ingress.call("GET", "/rollouts")
            let time = name == "part" ? "1970-01-01T00:00:01.500Z" : "1970-01-01T00:00:00.000Z"
            let rollout =
                #"{"rollout_id":"\#(name)","invocation_id":null,"experiment_id":null,"run_id":null,"#
                + #""last_completion_at":"\#(time)","expected":0,"failed":0,"verdict":null}"#
            #expect(answer.status == 200)
            #expect(answer.text == #"{"project_id":"main","rollouts":[\#(rollout)]}"#)
        }
    }

    @Test(arguments: targets) func `they are read`(target: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("POST", target, body: "{}")
            #expect(answer.status == 405 && answer["allow"] == "GET, HEAD")
        }
    }

    /// A verdict is true for one state of the set: the next completion makes it void in the step that records it.
    @Test func `a verdict holds until the set changes`() async throws {
        try await LiveIngress.run { ingress in
            try await complete(ingress)
            let store = VerdictStore(redis: ingress.redis, keySpace: KeySpace(defaultProject: "main"))
            let begun = try await store.begin(Rollout("r1", project: "main"))
            let beginning = try #require(begun)
            let verdict = Verdict(
                rollout: Rollout("r1", project: "main"), kind: .complete, expected: 1, traced: 1, inFlight: 0,
                failed: 0,
                missing: [],
                checkedAt: .now)
            let isWritten = try await store.write(verdict, mark: beginning.mark)
            #expect(isWritten)
            let answer = try await ingress.call("GET", "/v1/rollouts/r1?wait=30")
            #expect(answer.status == 200 && answer.body == verdict.json)
            #expect(try await ingress.call("GET", "/rollouts/r1?wait=soon").status == 400)
            #expect(
                try await ingress.call("GET", "/rollouts/r1", headers: ["If-None-Match: \(answer["etag"] ?? "")"])
                    .status == 304)
            for (prefix, isListed) in [("r", true), ("r1", true), ("r12", false), ("1", false), ("", true)] {
                let found = try await ingress.call("GET", "/rollouts?prefix=\(prefix)").text
                #expect(found.contains(#""rollout_id":"r1""#) == isListed, "\(prefix)")
            }
            let listed = try await ingress.call("GET", "/rollouts?tag=run_id:n1")
            #expect(listed.text.contains(#""expected":1,"failed":0,"verdict":"complete""#), "\(listed.text)")
            #expect(
                try await ingress.call("GET", "/rollouts?tag=run_id:other").text
                    == #"{"project_id":"main","rollouts":[]}"#)
            try await complete(ingress)
            #expect(try await ingress.call("GET", "/rollouts/r1").status == 503)
        }
    }

    /// No verifier runs here: a question that cannot be read never reaches the queue.
    @Test(arguments: [
        ("/rollouts?limit=0", "invalid_query"), ("/rollouts?limit=x", "invalid_query"),
        ("/rollouts?tag=x", "invalid_query"), ("/rollouts?tag=row_id:1", "invalid_query"),
        ("/rollouts/r1?wait=x", "invalid_query"), ("/rollouts/r1?wait=3601", "invalid_query"),
        ("/rollouts/r%2F1", "invalid_path"), ("/traces", "missing_rollout_id"),
        ("/traces?tags=rollout_id:r1&limit=0", "invalid_query"),
        ("/traces?tags=rollout_id:r1&fields=x", "invalid_query"),
        ("/traces/pointwise?tags=rollout_id:r1&hours_back=x", "invalid_query"),
        ("/project_id/main/traces?tags=rollout_id:r1&project_id=other", "invalid_query"),
    ])
    func `a bad query is refused`(target: String, code: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", target)
            #expect(answer.status == 400 && answer.error?.code == code, "\(answer.text)")
        }
    }

    /// Nothing that could not be traced is let in; what belongs to no rollout is.
    @Test func `no trace is taken that could not be kept`() async throws {
        try await LiveIngress.run({ $0.settings.traces.outboxBytes = 1000 }) { ingress in
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.traceBytes, 1000))
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.traceTrouble, "it answered 503"))
            let refused = try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            #expect(refused.status == 503 && refused.error?.code == "trace_backlog" && refused["retry-after"] == "30")
            #expect(try await !ingress.keys().contains("r1"))
            #expect(
                try await ingress.call("GET", "/ready").text.contains(
                    "does not take traces, 1000 bytes of them wait: it answered 503"))
            async let other = ingress.call("POST", "/v1/chat/completions", body: LiveIngress.body)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await other.status == 200)
        }
    }

    private func complete(_ ingress: LiveIngress) async throws {
        async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
        try await ingress.forwarder.answer(next: 1) { _ in "{}" }
        #expect(try await reply.status == 200)
    }
}

import Common
import JSON
import Redis
import TestSupport
import Testing

@testable import Ingress

@Suite(.timeLimit(.minutes(5))) struct PageTests {
    @Test(arguments: [
        "/health", "/v1/health", "/project_id/main/health", "/v1/project_id/nobody/health",
        "/health?x=/chat/completions", "http://gateway/health",
    ])
    func `health says that the process lives`(target: String) async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call("GET", target)
            #expect(answer.status == 200 && answer["content-type"] == "application/json")
            let page = try JSONObject.scan(answer.body, maximumDepth: 2)
            #expect(page.member("status").flatMap(page.string) == "healthy")
            #expect(page.member("service").flatMap(page.string) == "metadata-proxy", "the reference's two members")
            #expect(page.member("version").flatMap(page.string) == GatewayVersion.current)
            #expect(answer["x-insertion-id"].flatMap { InsertionID($0) } != nil)
            #expect(answer["x-request-id"] == answer["x-insertion-id"])
        }
    }

    @Test(arguments: ["/health", "/ready"]) func `head gets the head alone`(target: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for _ in 0..<3 {
                    let answer = try await client.call("HEAD", target)
                    #expect(answer.status == 200)
                    #expect(answer["content-length"].flatMap { Int($0) } ?? 0 > 10, "the length that GET would have")
                }
            }
        }
    }

    @Test func `metrics tell what waits`() async throws {
        try await LiveIngress.run({ $0.settings.traces.outboxBytes = 5000 }) { ingress in
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.traceBytes, 4200))
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.traceTrouble, "it answered 503"))
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await eventually { try await ingress.queued() == 1 }
            let answer = try await ingress.call("GET", "/metrics")
            #expect(answer.status == 200 && answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = answer.text.split(separator: "\n").map(String.init)
            for line in [
                "gateway_redis_up 1", "gateway_jobs 1", "gateway_forwarders 1", "gateway_verifiers 0",
                "gateway_trace_outbox_bytes 4200",
                "gateway_trace_outbox_limit_bytes 5000", "gateway_trace_store_refuses 1",
                "gateway_ingress_waiting_requests 1",
            ] { #expect(lines.contains(line), "\(line) in \(answer.text)") }
            // What Prometheus' own parser asks for: a name, perhaps labels, a value.
            for sample in lines where !sample.hasPrefix("#") {
                #expect(sample.wholeMatch(of: /[a-z_]+(\{.*\})? [0-9.e+-]+/) != nil, "\(sample)")
            }
            #expect(lines.contains { $0.hasPrefix("gateway_redis_used_memory_bytes ") && !$0.hasSuffix(" 0") })
            #expect(
                lines.contains {
                    $0.hasPrefix(#"gateway_redis_estimated_bytes{kind="rollouts"} "#) && !$0.hasSuffix(" 0")
                })
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await reply.status == 200)
            let counted = try await ingress.call("GET", "/metrics").text
            for line in [
                #"gateway_requests_total{route="/rollout_id/{rollout_id}/…/chat/completions",status="2xx"} 1"#,
                #"gateway_request_duration_seconds_count{route="/rollout_id/{rollout_id}/…/chat/completions"} 1"#,
                #"gateway_requests_total{route="/metrics",status="2xx"} 1"#,
            ] { #expect(counted.contains("\n\(line)\n"), "\(line)") }
            _ = try await ingress.redis.send(RedisCommand("SET", Keys.traceBytes, 5000))
            #expect(
                try await ingress.call("GET", "/ready").text.contains(
                    "completions of rollouts are refused: 5000 bytes of traces wait"))
        }
    }

    /// An answer that another part of the gateway refuses is told by its route, one of this ingress's own by its code
    /// too.
    @Test func `refusals are counted by their code`() async throws {
        try await LiveIngress.run { ingress in
            #expect(try await ingress.call("POST", LiveIngress.path, body: "{").status == 400)
            #expect(try await ingress.call("POST", "/chat/completions", body: "{").status == 400)
            #expect(try await ingress.call("POST", "/rollout_id//chat/completions", body: "{}").status == 400)
            let page = try await ingress.call("GET", "/metrics").text
            for line in [
                #"gateway_request_errors_total{code="invalid_json"} 2"#,
                #"gateway_requests_total{route="/chat/completions",status="4xx"} 1"#,
                #"gateway_requests_total{route="other",status="4xx"} 1"#,
            ] { #expect(page.contains("\n\(line)\n"), "\(line) in \(page)") }
        }
    }

    @Test func `ready asks for a live forwarder`() async throws {
        try await LiveIngress.run({ $0.hasForwarder = false }) { ingress in
            func readiness() async throws -> (Int, Bool) {
                let answer = try await ingress.call("GET", "/v1/ready")
                return (
                    answer.status, answer.text.contains("no live forwarder") && answer.text.contains(#""redis":true"#)
                )
            }
            #expect(try await readiness() == (503, true), "no stream yet")
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            try await eventually { try await ingress.queued() == 1 }
            #expect(try await readiness() == (503, true), "a stream, but no group")
            try await ingress.forwarder.join()
            #expect(try await readiness() == (200, false))
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await reply.status == 200, "what was queued before the first forwarder is not lost")
            try await ingress.forwarder.leave()
            #expect(try await readiness() == (503, true))
        }
    }

    /// The gateway's own Redis, without an address in the settings, is not judged; the tests' Redis may have holes or
    /// not.
    @Test(arguments: [false, true]) func `ready tells of holes in the operators Redis`(isOperators: Bool) async throws {
        try await LiveIngress.run({ plan in
            if isOperators { plan.settings.redis.address = .host("redis.example") }
        }) { ingress in
            let version = try #require(await ingress.redis.version())
            let page = try JSONObject.scan(try await ingress.call("GET", "/ready").body, maximumDepth: 3)
            #expect((page.member("warnings") != nil) == (isOperators && !version.warnings.isEmpty))
            #expect(page.member("status").flatMap(page.string) == "ready", "a warning is not a refusal")
        }
    }

    /// A Redis that deletes what is recorded when its memory is full takes calls all the same.
    @Test(arguments: ["allkeys-lru", "noeviction"]) func `ready tells of a Redis that evicts`(
        policy: String
    ) async throws {
        try await LiveIngress.run({ $0.settings.redis.address = .host("redis.example") }) { ingress in
            _ = try await ingress.redis.send(RedisCommand("CONFIG", "SET", "maxmemory-policy", policy))
            let answer = try await ingress.call("GET", "/ready")
            #expect(
                answer.status == 200 && answer.text.contains("maxmemory-policy \(policy)") == (policy != "noeviction"),
                "\(answer.text)")
        }
    }

    @Test func `warnings are a member of the page`() throws {
        let version = try #require(RedisVersion(info: "redis_version:7.4.5\r\n"))
        let page = try JSONObject.scan(StatusPages.ready(forwarders: 1, warnings: version.warnings), maximumDepth: 3)
        let list = try #require(page.member("warnings").map { String(decoding: page.bytes[$0.value], as: UTF8.self) })
        #expect(list.contains("CVE-2025-49844") && list.contains(#"","#) && list.contains("CVE-2026-23479"))
    }

    @Test func `the forms of health and readiness are fixed`() {
        #expect(
            String(decoding: StatusPages.health(uptime: 3, waiting: 2, connections: 1), as: UTF8.self)
                == #"{"status":"healthy","service":"metadata-proxy","version":"\#(GatewayVersion.current)","#
                + #""uptime_seconds":3,"waiting":2,"connections":1}"#)
        #expect(
            String(decoding: StatusPages.ready(forwarders: 2, warnings: []), as: UTF8.self)
                == #"{"status":"ready","redis":true,"forwarders":2}"#)
        #expect(
            String(decoding: StatusPages.ready(forwarders: 2, warnings: ["a\"", "b"]), as: UTF8.self)
                == #"{"status":"ready","redis":true,"forwarders":2,"warnings":["a\"","b"]}"#)
        #expect(
            String(decoding: StatusPages.unready("no `x`", redis: true, forwarders: 0), as: UTF8.self)
                == #"{"status":"not ready","reason":"no `x`","redis":true,"forwarders":0}"#)
        #expect(
            String(decoding: StatusPages.unready("\"x\"", redis: false, forwarders: nil), as: UTF8.self)
                == #"{"status":"not ready","reason":"\"x\"","redis":false,"forwarders":null}"#)
    }

    /// Only GET and HEAD are pages; the rest belongs to the backend.
    @Test func `another method is the backends`() async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call("POST", "/health")
            try await ingress.forwarder.answer(next: 1) { $0.path }
            #expect(try await reply.text == "/health")
        }
    }
}

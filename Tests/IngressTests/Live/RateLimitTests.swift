import Common
import InMemoryLogging
import Ingress
import Logging
import Policies
import Redis
import TestSupport
import Testing
import Upstream

/// Rate limits as a client meets them.
@Suite(.timeLimit(.minutes(5))) struct RateLimitTests {
    private func policies(_ rules: String) throws -> Policies {
        try PolicyFixture.read("type: gateway-rate-limiting-config\nrules:\n" + rules)
    }

    private func withRules(_ rules: String, _ body: (LiveIngress) async throws -> Void) async throws {
        let policies = try policies(rules)
        try await LiveIngress.run({ $0.policies = policies }, body)
    }

    /// What a client gets whose job is answered at once.
    private func answer(of ingress: LiveIngress) async throws -> HTTPAnswer {
        async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
        try await ingress.forwarder.answer(next: 1) { _ in "{}" }
        return try await reply
    }

    private static let dayRule = """
          - id: openai-dev
            when: {models: [openai/gpt]}
            limit_to: 2
            unit: requests_per_day
        """

    /// A request's way in: at once, or by way of a task.
    @Test(arguments: ["", "Idempotency-Key: "]) func `the first beyond the limit is refused with the rules id`(
        header: String
    ) async throws {
        try await withRules(Self.dayRule) { ingress in
            for place in 1...2 {
                async let reply = ingress.call(
                    "POST", LiveIngress.path, headers: header.isEmpty ? [] : [header + "k\(place)"],
                    body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                let answer = try await reply
                #expect(answer.status == 200)
                #expect(answer["x-ratelimit-limit-requests"] == "2")
                #expect(answer["x-ratelimit-remaining-requests"] == "\(2 - place)")
                #expect(answer["x-tfy-applied-configurations"] == #"{"rate_limit":["openai-dev"]}"#)
            }
            let refused = try await ingress.call(
                "POST", LiveIngress.path, headers: header.isEmpty ? [] : [header + "k3"], body: LiveIngress.body)
            #expect(refused.status == 429)
            #expect(refused.text.contains(#""code":"rate_limit_exceeded","rule":"openai-dev"}"#))
            #expect(refused["x-tfy-applied-configurations"] == #"{"rate_limit":["openai-dev"]}"#)
            #expect(refused["x-ratelimit-remaining-requests"] == "0")
            #expect(refused["retry-after"] == nil, "no SDK waits a day")
            #expect(refused["x-should-retry"] == "false")
            #expect(refused["x-ratelimit-reset-requests"]?.hasPrefix("23h59m") == true)
            #expect(try await ingress.redis.send(RedisCommand("SCARD", "r1")).int == 2, "no id of it is left")
            #expect(try await ingress.queued() == 0)
            // Another model meets no rule.
            async let other = ingress.call(
                "POST", LiveIngress.path, body: #"{"model": "openai/other", "messages": []}"#)
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await other.status == 200)
            #expect(try await other["x-ratelimit-limit-requests"] == nil)
        }
    }

    /// The same request again is the same job.
    @Test func `a repeated request is counted once`() async throws {
        try await withRules(Self.dayRule) { ingress in
            func ask(_ key: String) async throws -> HTTPAnswer {
                try await ingress.call(
                    "POST", LiveIngress.path, headers: ["Idempotency-Key: \(key)"], body: LiveIngress.body)
            }
            async let first = ask("a")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await first["x-ratelimit-remaining-requests"] == "1")
            for _ in 1...3 { #expect(try await ask("a").status == 200) }
            async let second = ask("b")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await second["x-ratelimit-remaining-requests"] == "0")
        }
    }

    @Test func `a short wait is a retry after`() async throws {
        try await withRules("  - {id: all, limit_to: 1, unit: requests_per_minute}") { ingress in
            #expect(try await answer(of: ingress).status == 200)
            // Calls other than completions are counted too.
            let refused = try await ingress.call("POST", "/v1/embeddings", body: #"{"model": "openai/embed"}"#)
            #expect(refused.status == 429)
            #expect(refused["retry-after"].flatMap { Int($0) }.map { (59...60).contains($0) } == true)
            #expect(refused["x-should-retry"] == nil)
            // What sends nothing is not counted.
            async let models = ingress.call("GET", "/v1/models")
            try await ingress.forwarder.answer(next: 1) { _ in "{}" }
            #expect(try await models.status == 200)
        }
    }

    @Test func `an audited limit only counts`() async throws {
        let policies = try policies("  - {id: all, limit_to: 1, unit: requests_per_minute, mode: audit}")
        let log = InMemoryLogHandler()
        try await LiveIngress.run {
            $0.policies = policies
            $0.logger = Logger(label: "test") { _ in log }
        } _: { ingress in
            for _ in 0..<3 {
                let reply = try await answer(of: ingress)
                #expect(reply.status == 200)
            }
        }
        #expect(log.entries.filter { $0.message.description.contains("`mode` is `audit`") }.count == 1)
    }

    /// The smaller of the two remainders is the one that SDKs read; the provider's stands beside it in any case.
    @Test(arguments: ["1", "500"]) func `the provider's own limit stands beside`(remaining: String) async throws {
        try await withRules("  - {id: all, limit_to: 10, unit: requests_per_minute}") { ingress in
            async let reply = ingress.call("POST", LiveIngress.path, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.answer(
                taken,
                headers: [
                    HeaderField("content-type", "application/json"), HeaderField("x-ratelimit-limit-requests", "600"),
                    HeaderField("x-ratelimit-remaining-requests", remaining),
                    HeaderField("x-ratelimit-reset-requests", "8ms"),
                    HeaderField("x-ratelimit-remaining-tokens", "77"),
                ], body: "{}")
            let answer = try await reply
            let isOurs = remaining == "500"
            #expect(answer["x-ratelimit-remaining-requests"] == (isOurs ? "9" : "1"))
            #expect(answer["x-ratelimit-limit-requests"] == (isOurs ? "10" : "600"))
            #expect(answer["x-upstream-ratelimit-remaining-requests"] == remaining)
            #expect(answer["x-upstream-ratelimit-reset-requests"] == "8ms")
            #expect(answer["x-ratelimit-remaining-tokens"] == "77")
        }
    }

    /// A counter apart for each account, whose key shows neither its name nor the rule's.
    @Test func `nothing of a client's stands in a counter's name`() async throws {
        let policies = try policies(
            "  - {id: per-model, limit_to: 1, unit: requests_per_minute, rate_limit_applies_per: [model]}")
        try await LiveIngress.run {
            $0.policies = policies
        } _: { ingress in
            for model in ["canary-a", "canary-b"] {
                async let reply = ingress.call(
                    "POST", LiveIngress.path, body: #"{"model": "\#(model)", "messages": []}"#)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await reply.status == 200)
            }
            let refused = try await ingress.call(
                "POST", LiveIngress.path, body: #"{"model": "canary-a", "messages": []}"#)
            #expect(refused.status == 429)
            let rates = try await ingress.keys().filter { $0.hasPrefix("gateway/rate/") }
            #expect(rates.count == 4)
            #expect(rates.allSatisfy { !$0.contains("canary") && !$0.contains("per-model") })
        }
    }

    /// Each of many at once reserves what it may take, so that no more reach a provider than fit.
    @Test func `tokens are reserved before the call`() async throws {
        let policies = try policies("  - {id: tokens, limit_to: 1000, unit: tokens_per_minute}")
        let body =
            #"{"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "\#(String(repeating: "x", count: 400))"}]}"#
        try await LiveIngress.run {
            $0.policies = policies
        } _: { ingress in
            try await withThrowingTaskGroup(of: HTTPAnswer?.self) { group in
                for _ in 0..<50 { group.addTask { try await ingress.call("POST", LiveIngress.path, body: body) } }
                group.addTask {
                    try await ingress.forwarder.answer(next: 5) { _ in "{}" }
                    return nil
                }
                var statuses: [Int] = []
                var remaining: Set<String> = []
                for try await answer in group {
                    guard let answer else { continue }
                    statuses.append(answer.status)
                    if answer.status == 200 { remaining.insert(answer["x-ratelimit-remaining-tokens"] ?? "") }
                }
                #expect(statuses.filter { $0 == 200 }.count == 5)
                #expect(statuses.filter { $0 == 429 }.count == 45)
                #expect(remaining == ["800", "600", "400", "200", "0"])
            }
        }
    }

    @Test func `a request larger than its limit is never let in`() async throws {
        try await withRules("  - {id: small, limit_to: 100, unit: tokens_per_minute}") { ingress in
            #expect(
                try await answer(of: ingress).status == 200,
                "without a bound of its own an answer is clamped to the limit")
            let body = #"{"model": "m", "messages": [{"content": "\#(String(repeating: "x", count: 800))"}]}"#
            let refused = try await ingress.call("POST", LiveIngress.path, body: body)
            #expect(refused.status == 400)
            #expect(refused.text.contains(#""code":"never_admissible","rule":"small"}"#))
            #expect(refused["retry-after"] == nil)
            #expect(refused["x-should-retry"] == "false")
        }
    }

    /// Counters are known by the rule's id, so a changed limit finds what was counted.
    @Test func `a changed limit finds its counter`() async throws {
        func rules(_ limit: Int) throws -> Policies {
            try policies("  - {id: all, limit_to: \(limit), unit: requests_per_day}")
        }
        let (first, second) = (try rules(4), try rules(6))
        let file = RulesFile(first, path: "/rules.yaml") { second }
        try await LiveIngress.run {
            $0.rules = file
        } _: { ingress in
            func expect(_ count: Int) async throws {
                for _ in 0..<count {
                    #expect(try await answer(of: ingress).status == 200)
                }
                #expect(try await ingress.call("POST", LiveIngress.path, body: LiveIngress.body).status == 429)
            }
            try await expect(4)
            file.refresh(isAsked: true, logger: .silent)
            try await expect(2)
        }
    }
}

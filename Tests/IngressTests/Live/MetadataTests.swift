import Common
import Redis
import TestSupport
import Testing

@testable import Ingress

/// Metadata of requests, by each way into the queue.
@Suite(.timeLimit(.minutes(5))) struct MetadataTests {
    /// A way into the queue: on the connection's event loop, or by Hummingbird's routes.
    struct Way: Sendable, CustomTestStringConvertible {
        var target = LiveIngress.path
        var headers: [String] = []
        var testDescription: String { "\(target.suffix(20)) \(headers)" }
    }

    static let ways = [
        Way(), Way(target: "/chat/completions"), Way(headers: ["Idempotency-Key: k1"]),
        Way(headers: ["Prefer: respond-async"]),
        Way(target: "/embeddings"),
    ]

    @Test(arguments: ways) func `a header reaches the job, and no field of it goes on`(way: Way) async throws {
        try await LiveIngress.run { ingress in
            let headers =
                way.headers + [
                    #"X-TFY-METADATA: {"team":"red-canary","env":"é"}"#, "x-portkey-metadata: {", "CF-AIG-Metadata: {}",
                    "x-litellm-tags: a", "X-TFY-LOGGING-CONFIG: {}",
                    "Helicone-Property-App: x", "Accept: application/json",
                ]
            async let answer = ingress.call("POST", way.target, headers: headers, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(
                taken.job.metadata.entries == [
                    .init("team", "red-canary", from: .header), .init("env", "é", from: .header),
                ])
            let names = taken.job.headers.map { $0.name.lowercased() }
            #expect(names.contains("accept"))
            for carrier in [
                "x-tfy-metadata", "x-portkey-metadata", "cf-aig-metadata", "x-litellm-tags", "helicone-property-app",
                "x-tfy-logging-config",
            ] {
                #expect(!names.contains(carrier))
            }
            try await ingress.expectNothing(like: "red-canary")
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await [200, 202].contains(answer.status))
        }
    }

    @Test(arguments: ways) func `a mistake is a 400 that leaves nothing behind`(way: Way) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            let answer = try await ingress.call(
                "POST", way.target, headers: way.headers + [#"X-TFY-Metadata: {"team":1}"#], body: LiveIngress.body)
            #expect(
                answer.status == 400 && answer.error?.code == "invalid_metadata"
                    && answer.error?.param == "x-tfy-metadata")
            #expect(answer.error?.message.contains("`team`") == true && answer["x-should-retry"] == "false")
            #expect(try await ingress.keys() == before)
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a header that is there twice is refused`() async throws {
        try await LiveIngress.run { ingress in
            let headers = [#"X-TFY-METADATA: {"a":"b"}"#, #"x-tfy-metadata: {"a":"b"}"#]
            let answer = try await ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
            #expect(answer.error?.code == "invalid_metadata" && answer.error?.message.contains("2 times") == true)
        }
    }

    @Test func `further headers are read where the setting names them`() async throws {
        try await LiveIngress.run({ $0.settings.http.metadataHeaders = [.portkey, .cloudflare, .helicone] }) {
            ingress in
            let headers = [
                #"x-tfy-metadata: {"a":"1"}"#, #"X-Portkey-Metadata: {"b":"2"}"#, #"cf-aig-metadata: {"c":3}"#,
                "Helicone-Property-D: 4",
                "x-litellm-tags: e",
            ]
            async let answer = ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.metadata.entries.map(\.tag) == ["a:1", "b:2", "c:3", "d:4"])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await answer.status == 200)
            let conflict = try await ingress.call(
                "POST", LiveIngress.path, headers: [#"x-tfy-metadata: {"d":"1"}"#, "Helicone-Property-D: 4"],
                body: LiveIngress.body)
            #expect(conflict.status == 400 && conflict.error?.message.contains("another value") == true)
        }
    }

    /// A client cannot set what its key says (rules of the operator count on it).
    @Test func `the key's metadata stands before the header's`() async throws {
        let account = Account(id: "alice", metadata: ["team": "blue", "plan": "gold", "rollout_id": "x", "tfy_x": "y"])
        try await LiveIngress.run({ $0.auth = OneAccount(account: account) }) { ingress in
            async let answer = ingress.call(
                "POST", LiveIngress.path, headers: [#"X-TFY-METADATA: {"team":"red","env":"prod"}"#],
                body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            #expect(
                taken.job.metadata.entries == [
                    .init("team", "blue", from: .key), .init("env", "prod", from: .header),
                    .init("plan", "gold", from: .key),
                ])
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await answer.status == 200)
        }
    }

    /// What OpenAI's clients call metadata is the provider's.
    @Test func `the body's metadata passes unchanged`() async throws {
        let body = #"{"model":"openai/gpt","metadata":{"team": 1 ,"team_":"x"},"messages":[]}"#
        try await LiveIngress.run { ingress in
            async let answer = ingress.call("POST", LiveIngress.path, body: body)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.metadata.isEmpty && taken.job.body == Array(body.utf8))
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await answer.status == 200)
        }
    }
}

/// Lets everyone in as one account.
struct OneAccount: AuthProvider {
    let account: Account
    var consumesBearer: Bool { true }
    func authenticate(_ request: AuthRequest) async throws -> Account? { account }
}

extension LiveIngress {
    /// Expects no key of Redis and no value to hold a text.
    fileprivate func expectNothing(like text: String) async throws {
        var seen = 0
        for key in try await redis.send(RedisCommand("KEYS", "*")).array?.compactMap(\.string) ?? [] {
            let dump = try await redis.send(RedisCommand("DUMP", key)).bytes ?? []
            seen += dump.count
            #expect(!key.contains(text) && !dump.holds(text), "\(key)")
        }
        #expect(seen > 200, "the job is there to look at")
    }
}

extension [UInt8] {
    fileprivate func holds(_ text: String) -> Bool {
        let needle = Array<UInt8>(text.utf8)
        return indices.dropLast(Swift.max(needle.count - 1, 0)).contains { self[$0...].starts(with: needle) }
    }
}

import Common
import JSON
import Redis
import TestSupport
import Testing

@testable import Ingress

/// A rollout's log over HTTP.
@Suite(.timeLimit(.minutes(5))) struct LogTests {
    private static func entry(
        _ rollouts: [String], message: String = "m", status: String = "null", more: String = ""
    ) -> String {
        let tags = rollouts.map { #""rollout_id:\#($0)""# }.joined(separator: ",")
        return #"{"program":"eval_protocol","tags":[\#(tags)],"message":"\#(message)","status":\#(status)\#(more)}"#
    }

    private func add(_ body: String, to ingress: LiveIngress, prefix: String = "", headers: [String] = []) async throws
    {
        let answer = try await ingress.call("POST", prefix + "/logs", headers: headers, body: body)
        #expect(answer.status == 200 && answer.text == #"{"status":"ok"}"#, "\(answer.text)")
    }

    /// The messages of a rollout's entries.
    private func messages(
        _ ingress: LiveIngress, _ query: String, prefix: String = "", headers: [String] = []
    ) async throws -> [String] {
        let answer = try await ingress.call("GET", prefix + "/logs?" + query, headers: headers)
        #expect(answer.status == 200 && answer["content-type"] == "application/json", "\(answer.text)")
        let page = try JSONObject.scan(answer.body, maximumDepth: 8)
        return try #require(page.member("entries").flatMap(page.elements)).map { element in
            let entry = try JSONObject.scan(answer.body, range: element.value, maximumDepth: 8)
            return try #require(entry.member("message").flatMap(entry.string))
        }
    }

    private func status(
        _ ingress: LiveIngress, of rollout: String, prefix: String = "", headers: [String] = []
    ) async throws -> String {
        let answer = try await ingress.call("GET", prefix + "/status?rollout_id=" + rollout, headers: headers)
        #expect(answer.status == 200)
        return answer.text
    }

    @Test(arguments: ["", "/v1", "/project_id/sibling", "/v1/project_id/sibling", "/project_id/sibling/v1"])
    func `what is logged is read newest first`(prefix: String) async throws {
        try await LiveIngress.run { ingress in
            #expect(try await messages(ingress, "tags=rollout_id:r1", prefix: prefix).isEmpty)
            #expect(
                try await status(ingress, of: "r1", prefix: prefix)
                    == #"{"rollout_id":"r1","status":null,"extras":null}"#)
            #expect(
                try await ingress.call("GET", prefix + "/logs?tags=rollout_id:r1").text == #"{"entries":[]}"#)
            for number in 0..<5 { try await add(Self.entry(["r1"], message: "\(number)"), to: ingress, prefix: prefix) }
            #expect(try await messages(ingress, "tags=rollout_id:r1", prefix: prefix) == ["4", "3", "2", "1", "0"])
            #expect(try await messages(ingress, "tags=rollout_id:r1&limit=2", prefix: prefix) == ["4", "3"])
            let two = try await ingress.call("GET", prefix + "/logs?tags=rollout_id:r1&limit=2").text
            let entry =
                #"{"timestamp":"T","message":"M","severity":"INFO","tags":["rollout_id:r1"],"status":null,"extras":null}"#
            #expect(
                two.replacing(/"timestamp":"[^"]+"/, with: #""timestamp":"T""#)
                    .replacing(/"message":"[43]"/, with: #""message":"M""#)
                    == #"{"entries":[\#(entry),\#(entry)]}"#)
            #expect(try await messages(ingress, "tags=rollout_id:r1&program=another", prefix: prefix).isEmpty)
            #expect(try await messages(ingress, "tags=rollout_id:r1&tags=run_id:n", prefix: prefix).isEmpty)
            #expect(try await messages(ingress, "tags=rollout_id:r2", prefix: prefix).isEmpty)
            #expect(try await ingress.queued() == 0, "nobody else is asked")
        }
    }

    /// What cannot be read here is passed over: another version of the gateway or one with another key wrote it.
    @Test(arguments: ["later version", "other key", "damaged"]) func `unreadable entries are passed over`(
        what: String
    ) async throws {
        try await LiveIngress.run { ingress in
            let known = #"{"code":101,"message":"running"}"#
            try await add(Self.entry(["r1"], message: "known", status: known), to: ingress)
            let logs = Keys.logs(of: Rollout("r1", project: "main"))
            let envelope = what == "other key" ? Envelope(key: .random()) : ingress.forwarder.envelope
            var sealed = try envelope.seal(
                Array(Self.entry(["r1"], message: "hidden", status: #"{"code":100}"#).utf8), for: .value(of: logs))
            if what == "later version" { sealed[0] = 2 }
            if what == "damaged" { sealed[40] ^= 1 }
            _ = try await ingress.redis.send(RedisCommand("XADD", logs, "*", "p", sealed))
            _ = try await ingress.redis.send(
                RedisCommand("HSET", Keys.status(of: Rollout("r1", project: "main")), "entry", sealed))
            #expect(try await messages(ingress, "tags=rollout_id:r1") == ["known"])
            #expect(try await status(ingress, of: "r1") == #"{"rollout_id":"r1","status":\#(known),"extras":null}"#)
        }
    }

    /// The status is that of the newest entry that has one, and not of one that says nothing of it.
    @Test func `a rollout's status is its newest`() async throws {
        try await LiveIngress.run { ingress in
            try await add(Self.entry(["r1"], status: #"{"code":101,"message":"running","details":[]}"#), to: ingress)
            try await add(
                Self.entry(
                    ["r1"], status: #"{"code":100,"message":"done"}"#, more: #","extras":{"level":"INFO","score":0.50}"#
                ), to: ingress)
            try await add(Self.entry(["r1"]), to: ingress)
            try await add(Self.entry(["r1"], status: #"{"code":null}"#), to: ingress)
            let wanted =
                #"{"rollout_id":"r1","status":{"code":100,"message":"done"},"extras":{"level":"INFO","score":0.50}}"#
            #expect(try await status(ingress, of: "r1") == wanted)
        }
    }

    @Test func `an entry of a group is each rollouts`() async throws {
        try await LiveIngress.run { ingress in
            try await add(Self.entry(["r1", "r2"], status: #"{"code":13}"#), to: ingress)
            for rollout in ["r1", "r2"] {
                #expect(try await messages(ingress, "tags=rollout_id:\(rollout)") == ["m"])
                #expect(try await status(ingress, of: rollout).contains(#""code":13"#))
            }
            #expect(try await messages(ingress, "tags=rollout_id:r2&tags=rollout_id:r1") == ["m"])
            #expect(try await messages(ingress, "tags=rollout_id:r2&tags=rollout_id:r3").isEmpty)
        }
    }

    @Test func `a project sees its own log only`() async throws {
        try await LiveIngress.run { ingress in
            try await add(Self.entry(["r1"], status: #"{"code":0}"#), to: ingress)
            #expect(try await messages(ingress, "tags=rollout_id:r1", prefix: "/project_id/sibling").isEmpty)
            #expect(try await status(ingress, of: "r1", prefix: "/project_id/sibling").contains(#""status":null"#))
            #expect(try await messages(ingress, "tags=rollout_id:r1", prefix: "/project_id/main") == ["m"])
        }
    }

    @Test(arguments: [("POST", "/logs"), ("GET", "/logs?tags=rollout_id:r1"), ("GET", "/status?rollout_id=r1")])
    func `a key opens its projects log only`(method: String, target: String) async throws {
        let key = "Authorization: Bearer " + APIKeyAuthTests.shared + "-a"
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let body = method == "POST" ? Self.entry(["r1"]) : ""
            #expect(try await ingress.call(method, target, body: body).status == 401)
            #expect(try await ingress.call(method, target, headers: [key], body: body).status == 200)
            let foreign = try await ingress.call(method, "/project_id/sibling" + target, headers: [key], body: body)
            #expect(foreign.status == 404 && foreign.error?.code == "unknown_project")
            let keys = try await ingress.keys()
            #expect(!keys.contains { $0.contains("sibling") })
        }
    }

    /// Both bounds, and the day that a log lives.
    @Test func `a log is bounded`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                for number in 0..<LogStore.entryLimit + 5 {
                    let answer = try await client.call("POST", "/logs", body: Self.entry(["r1"], message: "\(number)"))
                    #expect(answer.status == 200)
                }
            }
            #expect(
                try await messages(ingress, "tags=rollout_id:r1&limit=1000")
                    == (5..<LogStore.entryLimit + 5).reversed().map(String.init))
            let large = Self.entry(["r2"], message: String(repeating: "x", count: LogEntry.sizeLimit - 200))
            for _ in 0..<LogStore.byteLimit / LogEntry.sizeLimit + 4 { try await add(large, to: ingress) }
            let logs = Keys.logs(of: Rollout("r2", project: "main"))
            let kept = try await ingress.redis.send(RedisCommand("XRANGE", logs, "-", "+")).array ?? []
            let bytes = kept.reduce(0) { $0 + ($1[1][1].bytes?.count ?? 0) }
            #expect(bytes <= LogStore.byteLimit && bytes > LogStore.byteLimit - 2 * LogEntry.sizeLimit)
            let status = Keys.status(of: Rollout("r2", project: "main"))
            #expect(try await ingress.redis.send(RedisCommand("HGET", status, "bytes")).int == bytes)
            for key in [logs, status] {
                let left = try #require(try await ingress.redis.send(RedisCommand("TTL", key)).int)
                #expect((86_000...86_400).contains(left))
            }
        }
    }

    @Test func `an entry that is too large is refused`() async throws {
        try await LiveIngress.run { ingress in
            let frame = Self.entry(["r1"], message: "").utf8.count
            let answer = try await ingress.call(
                "POST", "/logs",
                body: Self.entry(["r1"], message: String(repeating: "x", count: LogEntry.sizeLimit - frame + 1)))
            #expect(answer.status == 413 && answer.error?.message.contains("log entry") == true)
            try await add(
                Self.entry(["r1"], message: String(repeating: "x", count: LogEntry.sizeLimit - frame)), to: ingress)
        }
    }

    /// What a log says may be as secret as a prompt.
    @Test func `nothing of an entry stands in Redis in the clear`() async throws {
        try await LiveIngress.run { ingress in
            try await add(
                Self.entry(["r1"], message: "canary-4711", status: #"{"code":0,"message":"canary-4711"}"#), to: ingress)
            for key in [Keys.logs(of: Rollout("r1", project: "main")), Keys.status(of: Rollout("r1", project: "main"))]
            {
                let dump = try #require(try await ingress.redis.send(RedisCommand("DUMP", key)).bytes)
                #expect(dump.firstRange(of: Array("canary".utf8)) == nil)
            }
        }
    }

    /// Whoever can write to Redis can neither show nor move an entry.
    @Test func `what is not the gateway's own is not shown`() async throws {
        try await LiveIngress.run { ingress in
            try await add(Self.entry(["r1"], status: #"{"code":0}"#), to: ingress)
            let entry = try await ingress.redis.send(
                RedisCommand("HGET", Keys.status(of: Rollout("r1", project: "main")), "entry"))
            let moved = try #require(entry.bytes)
            for sealed in [moved, Array("garbage".utf8)] {
                _ = try await ingress.redis.send(
                    RedisCommand("XADD", Keys.logs(of: Rollout("r2", project: "main")), "*", "p", sealed))
                _ = try await ingress.redis.send(
                    RedisCommand("HSET", Keys.status(of: Rollout("r2", project: "main")), "entry", sealed))
                #expect(try await messages(ingress, "tags=rollout_id:r2").isEmpty)
                #expect(try await status(ingress, of: "r2").contains(#""status":null"#))
            }
        }
    }

    @Test(arguments: [
        ("PUT", "/logs"), ("DELETE", "/logs"), ("POST", "/status"), ("GET", "/logs/x"), ("GET", "/statuses"),
    ])
    func `all else is the backends`(method: String, path: String) async throws {
        try await LiveIngress.run { ingress in
            async let reply = ingress.call(method, path)
            try await ingress.forwarder.answer(next: 1) { $0.path }
            #expect(try await reply.text == path)
        }
    }

    @Test func `without Redis it is said`() async throws {
        try await LiveIngress.run { ingress in
            ingress.server.kill()
            for (method, target) in [
                ("POST", "/logs"), ("GET", "/logs?tags=rollout_id:r1"), ("GET", "/status?rollout_id=r1"),
            ] {
                let answer = try await ingress.call(method, target, body: method == "POST" ? Self.entry(["r1"]) : "")
                #expect(answer.status == 503 && answer["retry-after"] == "1", "\(answer.text)")
            }
        }
    }
}

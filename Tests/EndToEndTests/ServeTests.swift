import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// `serve`, as a newcomer starts it: no configuration, a folder, real processes.
@Suite(.timeLimit(.minutes(5)), .serialized) struct ServeTests {
    static let path = "/rollout_id/demo/invocation_id/i1/experiment_id/e1/run_id/r1/row_id/1/chat/completions"

    static func body(_ model: String, _ text: String = "Hello!", stream: Bool = false) -> String {
        #"{"model": "\#(model)", "stream": \#(stream), "messages": [{"role": "user", "content": "\#(text)"}]}"#
    }

    private func processOfRedis(_ folder: ProgramFolder) async throws -> Int32 {
        let info = try await withRedisClient(folder.redis) {
            try await $0.send(RedisCommand("INFO", "server")).string ?? ""
        }
        let line = try #require(info.split(separator: "\r\n").first { $0.hasPrefix("process_id:") })
        return try #require(Int32(line.dropFirst("process_id:".count)))
    }

    private func idsOfDemo(_ folder: ProgramFolder) async throws -> [String] {
        try await withRedisClient(folder.redis) {
            try await $0.send(RedisCommand("SMEMBERS", "demo")).array?.compactMap(\.string) ?? []
        }
    }

    @Test func `it starts from nothing answers the printed line and leaves nothing running`() async throws {
        try await ProgramFolder.with { folder in
            var redis: Int32 = 0
            var ids: [String] = []
            let first = try await folder.serve { process, _ in
                // What stands between “Try it:” and the next empty line, as it would be pasted.
                let lines = process.output.split(separator: "\n", omittingEmptySubsequences: false)
                let command = lines.drop { $0 != "Try it:" }.dropFirst().prefix { !$0.isEmpty }.joined(separator: "\n")
                let pasted = try await Subprocess.run(
                    .name("sh"), arguments: ["-c", command + " -s -S -i"], output: .string(limit: 1 << 16),
                    error: .discarded)
                let answer = pasted.standardOutput
                #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("Hello!"), "\(command)\n\(answer)")
                ids = try await idsOfDemo(folder)
                #expect(ids.count == 1 && answer.contains("x-insertion-id: \(ids.first ?? "")"))
                redis = try await processOfRedis(folder)
                #expect(try folder.mode(of: "data/gateway.key") == 0o600)
                #expect(try folder.mode(of: "data") == 0o700)
                #expect(try folder.mode(of: "data/redis.sock") == 0o700)
                try process.send(.interrupt)
            }
            #expect(first.code == 0, "\(first.output)")
            #expect(!first.output.contains("error"), "\(first.output)")
            #expect(!isRunning(process: redis), "what it started has stopped with it")

            let second = try await folder.serve { _, _ in
                let kept = try await idsOfDemo(folder)
                #expect(kept == ids, "what was recorded is still there")
            }
            #expect(second.code == 0)
        }
    }

    @Test func `a folder in use is not shared`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                let other = try await folder.run("metadata-gateway", arguments: ["serve"], environment: ["PORT": "0"])
                #expect(other.code == 78)
                #expect(
                    other.output.contains("DATA_DIR") && other.output.contains("in use by another metadata-gateway"))
                #expect(
                    try await withRawClient(to: port) { try await $0.call("GET", "/ready") }.status == 200,
                    "the first goes on")
            }
            #expect(ending.code == 0)
        }
    }

    @Test func `a port in use is said plainly`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                let environment = ["PORT": "\(port)", "DATA_DIR": "second"]
                let other = try await folder.run("metadata-gateway", arguments: ["serve"], environment: environment)
                #expect(other.code == 78)
                #expect(other.output.contains("PORT") && other.output.contains("already in use"), "\(other.output)")
            }
            #expect(ending.code == 0)
        }
    }

    /// kill -9 leaves a redis-server behind. The next start takes its data over, and its place.
    @Test func `a killed gateway is started again over what it left`() async throws {
        try await ProgramFolder.with { folder in
            var leftover: Int32 = 0
            let killed = try await folder.serve { process, port in
                let answer = try await withRawClient(to: port) {
                    try await $0.call("POST", Self.path, body: Self.body("mock/echo"))
                }
                #expect(answer.status == 200)
                leftover = try await processOfRedis(folder)
                try process.send(.kill)
            }
            #expect(killed.code == nil)
            #expect(isRunning(process: leftover))
            let again = try await folder.serve { _, port in
                #expect(try await processOfRedis(folder) != leftover)
                #expect(!isRunning(process: leftover))
                #expect(try await idsOfDemo(folder).count == 1)
                let answer = try await withRawClient(to: port) {
                    try await $0.call("POST", Self.path, body: Self.body("mock/echo"))
                }
                #expect(answer.status == 200)
            }
            #expect(again.code == 0, "\(again.output)")
        }
    }

    /// A call that outlasts the drain is told so, and is not made again by the next start for nobody.
    @Test func `a call that outlasts the drain is told so`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve(environment: ["DRAIN_SECONDS": "0.5"]) { process, port in
                try await withRawClient(to: port) { client in
                    try await client.send("POST", Self.path, body: Self.body("mock/echo?delay_ms=100000"))
                    try await eventually { try await idsOfDemo(folder).count == 1 }
                    try process.send(.terminate)
                    let answer = try await client.answer()
                    #expect(answer.status == 503 && answer.error?.code == "shutting_down")
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
            let again = try await folder.serve { _, _ in
                #expect(try await idsOfDemo(folder).isEmpty, "it did not succeed, and runs no longer")
                let left = try await withRedisClient(folder.redis) {
                    try await $0.send(RedisCommand("XLEN", Keys.jobs)).int
                }
                #expect(left == 0)
            }
            #expect(again.code == 0)
        }
    }

    @Test func `a call in flight is answered before the process stops`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { process, port in
                try await withRawClient(to: port) { client in
                    try await client.send("POST", Self.path, body: Self.body("mock/echo?delay_ms=700"))
                    try await eventually { try await idsOfDemo(folder).count == 1 }
                    try process.send(.terminate)
                    #expect(try await client.answer().status == 200)
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// A client that goes away in the middle: its call is aborted and its id leaves the set.
    @Test func `an abandoned call leaves the set`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                try await withRawClient(to: port) { client in
                    try await client.send(
                        "POST", Self.path, body: Self.body("mock/echo?chunks=1000&pace_ms=100", stream: true))
                    #expect(try await client.head().status == 200)
                    #expect(try await client.chunk() != nil)
                    #expect(try await idsOfDemo(folder).count == 1)
                }
                try await eventually { try await idsOfDemo(folder).isEmpty }
            }
            #expect(ending.code == 0)
        }
    }

    /// Whatever goes right or wrong, a client's key and its prompt are in no file of Redis, no key's value and no line
    /// of the log.
    @Test func `no secret is written down`() async throws {
        let key = Array("sk-canary-4711".utf8)
        let canaries = [key] + ["prompt-canary-0815", "answer-canary-0815"].map { Array($0.utf8) }
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve(environment: ["LOG_LEVEL": "trace"]) { process, port in
                try await withRawClient(to: port) { client in
                    let options = ["", "?status=401", "?status=500", "?fail=cut", "?fail=connect", "?nonsense=1"]
                    for option in options {
                        for stream in [false, true] {
                            let body = Self.body(
                                "mock/echo" + option, "prompt-canary-0815 answer-canary-0815", stream: stream)
                            _ = try? await client.call(
                                "POST", Self.path, headers: ["Authorization: Bearer sk-canary-4711"], body: body)
                        }
                    }
                }
                try await withRawClient(to: port) { client in
                    // One that is still queued or running when the files are read.
                    let body = Self.body("mock/echo?delay_ms=60000", "prompt-canary-0815")
                    try await client.send(
                        "POST", Self.path, headers: ["Authorization: Bearer sk-canary-4711"], body: body)
                    try await eventually {
                        try await withRedisClient(folder.redis) {
                            try await $0.send(RedisCommand("XLEN", Keys.jobs)).int
                        } == 1
                    }
                    try await withRedisClient(folder.redis) { redis in
                        for key in try await redis.send(RedisCommand("KEYS", "*")).array ?? [] {
                            let value = try await redis.send(RedisCommand("DUMP", key.string ?? "")).bytes ?? []
                            for canary in canaries { #expect(!value.contains(canary), "in \(key.string ?? "")") }
                        }
                    }
                }
            }
            #expect(ending.code == 0)
            let files = try folder.contents()
            #expect(files.keys.contains { $0.contains("appendonly") }, "\(files.keys)")
            for canary in canaries {
                // What was asked and answered is what the trace store is for; a key is not.
                for (name, bytes) in files where !(name.contains("traces.sqlite") && canary != key) {
                    #expect(!bytes.contains(canary), "in \(name)")
                }
                #expect(!Array(ending.output.utf8).contains(canary), "in the log")
            }
        }
    }
}

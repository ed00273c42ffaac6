import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// A whole gateway as a process (`serve`), whose account `hostile` is a server that a test scripts. So is `keyless`,
/// which is called with the client's key.
struct HostileGateway {
    /// The key of the account, which must reach the account's own server and nobody else.
    static let providerKey = "provider-canary-4711"
    /// An answer as it should be. The connection ends with it, so that no connection is left to be counted.
    static let good =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"ok\":true}"

    let process: GatewayProcess
    let port: Int
    let folder: ProgramFolder
    let provider: ScriptedServer

    /// Runs `body` with a gateway, and checks that it then stops in order.
    /// - Parameters:
    ///   - secrets: more of the secrets file.
    ///   - script: what the provider does on a connection whose request is not for the model `hostile/good`.
    static func run(
        environment: [String: String] = [:], secrets: String = "",
        _ script: @escaping @Sendable (ScriptedServer.Connection, _ request: String) async throws -> Void,
        _ body: (HostileGateway) async throws -> Void
    ) async throws {
        try await ScriptedServer.run { connection in
            guard let request = try await connection.request() else { return }
            if request.contains(#""model": "good""#) { return try await connection.write(good) }
            try await script(connection, request)
        } _: { provider in
            try await ProgramFolder.with { folder in
                let server = "base_url: http://127.0.0.1:\(provider.port)/v1\n"
                let accounts = "accounts:\n  keyless:\n    \(server)  hostile:\n    \(server)    key: \(providerKey)\n"
                try folder.write(accounts + secrets, to: "secrets.yaml")
                // Without traces, unless the test wants them: their exporter's connections come and go by themselves,
                // and would be counted.
                let untraced = ["LANGFUSE_HOST": "http://127.0.0.1:9"]
                let ending = try await folder.serve(environment: untraced.merging(environment) { $1 }) {
                    process, port in
                    let gateway = HostileGateway(process: process, port: port, folder: folder, provider: provider)
                    try await gateway.expectGoodAnswer()
                    try await body(gateway)
                }
                #expect(ending.code == 0, "\(ending.output.suffix(4000))")
            }
        }
    }

    static func body(_ model: String = "hostile/x", stream: Bool = false, more: String = "") -> String {
        #"{"model": "\#(model)", "stream": \#(stream), "messages": []\#(more)}"#
    }

    /// Makes one call on a connection of its own and says what came of it.
    func call(
        _ model: String = "hostile/x", stream: Bool = false, path: String = ServeTests.path
    ) async throws -> CallOutcome {
        try await withRawClient(to: port) { client in
            try await client.send("POST", path, headers: ["Connection: close"], body: Self.body(model, stream: stream))
            return await CallOutcome.read(from: client)
        }
    }

    /// A usual call is answered: the gateway lives, and has a free slot. It has no rollout, so it leaves nothing in
    /// Redis.
    func expectGoodAnswer(
        _ comment: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await call("hostile/good", path: "/v1/chat/completions")
        #expect(
            outcome == .complete(status: 200, bytes: 11, tail: #"{"ok":true}"#), "\(comment())",
            sourceLocation: sourceLocation)
    }

    /// Removes the set of the rollout `demo`, in which a call stays that went well.
    func forgetRollout() async throws {
        _ = try await withRedisClient(folder.redis) { try await $0.send(RedisCommand("DEL", "demo")) }
    }

    /// What Redis says under `name` in `INFO memory`, in bytes.
    func redisMemory(_ name: String) async throws -> Int {
        let info = try await withRedisClient(folder.redis) {
            try await $0.send(RedisCommand("INFO", "memory")).string ?? ""
        }
        let line = try #require(info.split(separator: "\r\n").first { $0.hasPrefix(name + ":") })
        return try #require(Int(line.dropFirst(name.count + 1)))
    }
}

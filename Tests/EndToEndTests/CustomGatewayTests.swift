import Common
import Redis
import TestSupport
import Testing

/// The example of an operator's own build, as a process: its entrance, its hook and its route.
@Suite(.timeLimit(.minutes(5))) struct CustomGatewayTests {
    private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    @Test func `its entrance and its route are served`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve("CustomGateway") { _, port in
                try await withRawClient(to: port) { client in
                    let stranger = try await client.call("POST", ServeTests.path, body: ServeTests.body("mock/echo"))
                    #expect(stranger.status == 401 && stranger.error?.code == "missing_badge")
                    let guest = try await client.call(
                        "POST", ServeTests.path, headers: ["x-badge: ann"], body: ServeTests.body("mock/echo"))
                    #expect(guest.status == 200 && guest.text.contains("Hello!"))
                    let page = try await client.call("GET", "/motd")
                    #expect(page.status == 200 && page.text == "All providers are up.\n")
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    @Test(arguments: [("nightly", "nightly"), ("ann", "r1")]) func `its hook files a run under another name`(
        badge: String, run: String
    ) async throws {
        try await withRedisServer { server in
            try await ProgramFolder.with { folder in
                let environment = [
                    "REDIS_HOST": "unix:" + server.folder + "/redis.sock", "GATEWAY_KEY": Self.key, "HOST": "127.0.0.1",
                    "PORT": "0",
                ]
                let ending = try await folder.run("CustomGateway", arguments: ["ingress"], environment: environment) {
                    process in
                    let port = try port(in: try await process.line(with: "listens on"))
                    try await withRawClient(to: port) { client in
                        try await eventually { try await client.call("GET", "/ready").text.contains(#""redis":true"#) }
                        try await client.send(
                            "POST", ServeTests.path, headers: ["x-badge: \(badge)"], body: ServeTests.body("mock/echo"))
                        #expect(try await queuedJob(server).rollout?.run == run)
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    /// The first job on the stream, opened.
    private func queuedJob(_ server: RedisServer) async throws -> Job {
        try await withRedisClient(server.endpoint) { redis in
            let entries = RedisCommand("XRANGE", Keys.jobs, "-", "+")
            try await eventually { try await redis.send(entries).array?.isEmpty == false }
            let fields = try await redis.send(entries)[0][1]
            let id = try #require(fields[1].string.flatMap { InsertionID($0) })
            let key = try #require(GatewayKey(base64: Self.key))
            return try Job(wireBytes: Envelope(key: key).open(try #require(fields[3].bytes), for: .job(id)))
        }
    }
}

import Common
import FoundationEssentials
import Redis
import RequestLog
import TestSupport
import Testing
import TraceStore

/// The request log as clients and operators see it: by the programs, over a store that has rows.
@Suite(.timeLimit(.minutes(5))) struct RequestLogTests {
    private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    /// Puts two rows of a project into the store of a folder, and gives their ids, the older first.
    private func fill(_ folder: ProgramFolder, project: String) async throws -> [InsertionID] {
        let data = folder.path + "/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let keys = LangfuseKeys(publicKey: SecretString("pk-lf-a"), secretKey: SecretString("sk-lf-a"))
        let store = try TraceStoreService(
            directory: data, keys: [UTF8Text(project): keys], host: "127.0.0.1", port: 0,
            limits: .init(age: .seconds(86_400), bytes: 1 << 30, exportBytes: 1 << 20), logger: .silent
        ) { _ in }
        let ids = InsertionIDGenerator()
        var (good, bad) = (
            RequestRow(id: ids.next(), project: project, outcome: .succeeded, status: 200),
            RequestRow(id: ids.next(), project: project, outcome: .failed, status: 502)
        )
        good.metadata = [.init("customer-id", "customer1", from: .header)]
        bad.metadata = [.init("customer-id", "customer\u{1B}[2J", from: .header)]
        (good.modelServed, bad.modelServed, bad.errorCode) = ("openai/gpt", "openai/gpt", "connect_failed")
        bad.attempts = [
            SpanAttempt(number: 1, model: "openai/gpt", failure: "connect_error", began: good.time, ended: good.time)
        ]
        try await store.requests.add([good, bad])
        return [good.id, bad.id]
    }

    @Test func `serve answers for its own log`() async throws {
        try await ProgramFolder.with { folder in
            let ids = try await fill(folder, project: "local")
            let ending = try await folder.serve { _, port in
                try await withRawClient(to: port) { client in
                    let all = try await client.call("GET", "/v1/logs/requests")
                    #expect(all.status == 200, "\(all.text)")
                    let places = try ids.map { try #require(all.text.firstRange(of: $0.description)).lowerBound }
                    #expect(places[1] < places[0], "the newest first")
                    let one = try await client.call("GET", "/logs/requests?metadata.customer-id=customer1")
                    #expect(one.text.contains(ids[0].description) && !one.text.contains(ids[1].description))
                    let row = try await client.call("GET", "/logs/requests/\(ids[1])")
                    #expect(row.status == 200 && row.text.contains(#""failure":"connect_error""#), "\(row.text)")
                    let export = try await client.call("GET", "/logs/requests?format=jsonl&status=5xx")
                    #expect(export["content-type"] == "application/jsonl" && export.text.hasSuffix("}\n"))
                    #expect(export.text.split(separator: "\n").count == 1)
                    #expect(try await client.call("GET", "/logs/requests?bogus=1").error?.code == "invalid_query")
                    let total = try await client.call("GET", "/metrics/query?measures=requests,errors")
                    #expect(total.text.contains(#""total":{"requests":2,"errors":1}"#), "\(total.text)")
                }
                let listed = try await folder.run(
                    "metadata-gateway", arguments: ["logs", "--status", "5xx"],
                    environment: ["GATEWAY_URL": "http://127.0.0.1:\(port)"])
                #expect(listed.code == 0 && listed.output.contains("  502  "), "\(listed.output)")
                #expect(listed.output.contains(#"error=connect_failed customer-id=customer\u{1B}[2J \#(ids[1])"#))
                #expect(!listed.output.contains(ids[0].description) && !listed.output.contains("\u{1B}"))
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// Where traces go to a Langfuse the log is kept all the same, and nothing listens for traces.
    @Test func `it is kept beside a Langfuse`() async throws {
        try await ProgramFolder.with { folder in
            let ids = try await fill(folder, project: "local")
            let ending = try await folder.serve(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { process, port in
                let answer = try await withRawClient(to: port) { try await $0.call("GET", "/logs/requests") }
                #expect(answer.status == 200 && answer.text.contains(ids[0].description), "\(answer.text)")
                #expect(!process.output.contains("Traces are kept here"))
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    @Test func `without a log nothing is opened`() async throws {
        try await ProgramFolder.with { folder in
            let environment = ["LANGFUSE_HOST": "http://127.0.0.1:9", "REQUEST_LOG": "off"]
            let ending = try await folder.serve(environment: environment) { _, port in
                let answer = try await withRawClient(to: port) { try await $0.call("GET", "/logs/requests") }
                #expect(answer.status == 404 && answer.error?.code == "request_log_off", "\(answer.text)")
            }
            #expect(ending.code == 0, "\(ending.output)")
            #expect(try !folder.contents().keys.contains("data/traces.sqlite"))
        }
    }

    /// Ingress and trace store as processes of their own, which know of each other what stands in Redis.
    @Test func `a trace store answers for the log`() async throws {
        var options = RedisServer.Options()
        options.listensOnTCP = true
        try await withRedisServer(options) { server in
            guard case .tcp(_, let redisPort) = try #require(server.tcpEndpoint).address else { return }
            let environment = [
                "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(redisPort)", "GATEWAY_KEY": Self.key, "HOST": "127.0.0.1",
                "PORT": "0", "TRACESTORE_PORT": "0",
            ]
            try await ProgramFolder.with { folder in
                let ids = try await fill(folder, project: "local")
                let ingress = try await folder.run("metadata-gateway", arguments: ["ingress"], environment: environment)
                {
                    ingress in
                    let port = try port(in: try await ingress.line(with: "listens on"))
                    try await withRawClient(to: port) { client in
                        let before = try await client.call("GET", "/logs/requests")
                        #expect(before.status == 503 && before.error?.code == "no_request_log", "\(before.text)")
                        let store = try await folder.run(
                            "metadata-gateway", arguments: ["tracestore"], environment: environment
                        ) {
                            store in
                            try await store.line(with: "keeps the request log")
                            try await eventually { try await client.call("GET", "/logs/requests").status == 200 }
                            let answer = try await client.call(
                                "GET", "/v1/logs/requests?metadata.customer-id=customer1")
                            #expect(
                                answer.text.contains(ids[0].description) && !answer.text.contains(ids[1].description))
                        }
                        #expect(store.code == 0, "\(store.output)")
                        let after = try await client.call("GET", "/logs/requests")
                        #expect(after.error?.code == "no_request_log", "one that stops says so")
                    }
                }
                #expect(ingress.code == 0, "\(ingress.output)")
            }
        }
    }
}

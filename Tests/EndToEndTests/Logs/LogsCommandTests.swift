import Common
import NIOConcurrencyHelpers
import Subprocess
import TestSupport
import Testing

/// `metadata-gateway logs` as a process, before a gateway that the test plays.
@Suite(.timeLimit(.minutes(5))) struct LogsCommandTests {
    private static func row(_ id: String, status: Int = 200) -> String {
        #"{"insertion_id":"\#(id)","time":"2026-11-29T20:00:00.000Z","outcome":"succeeded","status":\#(status),"#
            + #""metadata":{"customer-id":"customer1\u001b[2J"},"model":"openai/gpt","latency_ms":5}"#
    }

    private static func page(_ rows: [String], next: String? = nil) -> String {
        let cursor = next.map { "\"\($0)\"" } ?? "null"
        return #"{"data":[\#(rows.joined(separator: ","))],"next_cursor":\#(cursor)}"#
    }

    /// Runs `body` with the environment for a gateway that answers each target as `answer` says, and with what was
    /// asked.
    private func withGateway(
        _ answer: @escaping @Sendable (_ target: String, _ count: Int) -> (status: Int, body: String),
        _ body: ([String: String], _ asked: @Sendable () -> [String]) async throws -> Void
    ) async throws {
        let heads = NIOLockedValueBox<[String]>([])
        try await ScriptedServer.run { connection in
            while let head = try await connection.request() {
                let count = heads.withLockedValue { heads in
                    heads.append(head)
                    return heads.count
                }
                let target = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                let (status, text) = answer(target, count)
                try await connection.write(
                    "HTTP/1.1 \(status) x\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
                )
            }
        } _: { server in
            try await body(["GATEWAY_URL": server.url("")]) { heads.withLockedValue { $0 } }
        }
    }

    @Test func `requests are listed the newest at the end`() async throws {
        try await withGateway { target, _ in
            (
                200,
                target.contains("cursor=p1")
                    ? Self.page([Self.row("a")]) : Self.page([Self.row("c"), Self.row("b")], next: "p1")
            )
        } _: { environment, asked in
            try await ProgramFolder.with { folder in
                var environment = environment
                environment["GATEWAY_API_KEY"] = "key-of-the-gateway"
                let ended = try await folder.run(
                    "metadata-gateway",
                    arguments: [
                        "logs", "--project", "p q", "--filter", "customer-id=customer1", "--status", "5xx", "--rollout",
                        "r/1", "--model", "openai/gpt", "--since", "1h", "--limit", "3", "--where", "latency[gte]=5",
                    ], environment: environment)
                #expect(ended.code == 0, "\(ended.output)")
                let lines = ended.output.split(separator: "\n").map(String.init)
                #expect(lines.map { $0.split(separator: " ").last } == ["MODEL", "a", "b", "c"])
                #expect(lines[1].contains(#"customer-id=customer1\u{1B}[2J"#) && !ended.output.contains("\u{1B}"))
                let filters =
                    "metadata.customer-id=customer1&latency%5Bgte%5D=5&status=5xx&rollout_id=r%2F1&model=openai%2Fgpt"
                let path = "GET /v1/project_id/p%20q/logs/requests?" + filters
                let heads = asked()
                #expect(heads.count == 2 && heads[0].hasPrefix(path + "&limit=3&from=1h HTTP/1.1"), "\(heads)")
                #expect(heads.last?.hasPrefix(path + "&limit=1&from=1h&cursor=p1 ") == true)
                #expect(heads.allSatisfy { $0.contains("Bearer key-of-the-gateway") })
            }
        }
    }

    @Test func `audit rows are listed`() async throws {
        let row =
            #"{"id":"a","time":"2026-11-29T20:00:00.000Z","kind":"key.used","actor":"serve h:7","details":{"count":1}}"#
        try await withGateway { _, _ in
            (200, Self.page([row]))
        } _: { environment, asked in
            try await ProgramFolder.with { folder in
                let arguments = ["logs", "--audit", "--where", "kind=key.used", "--since", "7d", "--json"]
                let ended = try await folder.run("metadata-gateway", arguments: arguments, environment: environment)
                #expect(ended.code == 0 && ended.output == row + "\n", "\(ended.output)")
                #expect(
                    asked().first?.hasPrefix("GET /v1/logs/audit?kind=key.used&limit=100&from=7d ") == true,
                    "\(asked())")
            }
        }
    }

    @Test func `json is a line each`() async throws {
        try await withGateway { _, _ in
            (200, Self.page([Self.row("b"), Self.row("a")]))
        } _: { environment, _ in
            try await ProgramFolder.with { folder in
                let ended = try await folder.run(
                    "metadata-gateway", arguments: ["logs", "--json"], environment: environment)
                #expect(ended.code == 0 && ended.output == Self.row("a") + "\n" + Self.row("b") + "\n")
            }
        }
    }

    /// First what is there, then each request once as it ends. A gateway that is away for a moment ends nothing.
    @Test func `requests are followed`() async throws {
        try await withGateway { _, count in
            switch count {
            case 1: (200, Self.page([Self.row("b"), Self.row("a")]))
            case 2: (200, Self.page([Self.row("b")]))
            case 3: (503, #"{"error":{"message":"away","type":"server_error","param":null,"code":"no_request_log"}}"#)
            default: (200, Self.page([Self.row("c", status: 504), Self.row("b"), Self.row("a")]))
            }
        } _: { environment, asked in
            try await ProgramFolder.with { folder in
                let ended = try await folder.run(
                    "metadata-gateway", arguments: ["logs", "--follow", "--limit", "1"], environment: environment
                ) { process in
                    try await process.line(with: "[2J c")
                    #expect(asked().first?.contains("from=10m") == true && asked().last?.contains("from=30s") == true)
                    let count = asked().count
                    try await eventually { asked().count > count }
                }
                let lines = ended.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ").last ?? "" }
                #expect(lines == ["b", "away", "c"], "\(ended.output)")
            }
        }
    }

    @Test(arguments: [
        (404, "request_log_off", "The request log is off"), (401, "invalid_api_key", "key"),
        (503, "no_request_log", "start it"),
    ])
    func `what the gateway refuses is said`(status: Int, code: String, message: String) async throws {
        let error = #"{"error":{"message":"\#(message)","type":"t","param":null,"code":"\#(code)"},"detail":""}"#
        try await withGateway { _, _ in
            (status, error)
        } _: { environment, _ in
            try await ProgramFolder.with { folder in
                let ended = try await folder.run("metadata-gateway", arguments: ["logs"], environment: environment)
                #expect(ended.code == 2 && ended.output == "error: \(message)\n")
            }
        }
    }

    @Test(arguments: [
        ["--filter", "customer1"], ["--status", "5xx", "--audit"], ["--where", "latency"], ["--limit", "0"],
        ["--limit", "many"], ["--bogus"],
    ])
    func `a wrong command line is refused`(arguments: [String]) async throws {
        try await ProgramFolder.with { folder in
            let ended = try await folder.run("metadata-gateway", arguments: ["logs"] + arguments)
            #expect(ended.code == 64 && ended.output.contains(arguments[0]), "\(ended.output)")
        }
    }
}

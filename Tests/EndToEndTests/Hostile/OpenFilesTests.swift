import Common
import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// Few file descriptors: idle clients never take those that the gateway needs for its own work.
@Suite(.timeLimit(.minutes(5))) struct OpenFilesTests {
    /// The least number of open files with which a part says that it works on this machine.
    private static func least(_ part: String, _ environment: [String: String]) async throws -> Int {
        var least = 0
        try await ProgramFolder.with { folder in
            let ending = try await folder.run(
                "metadata-gateway", arguments: [part], environment: environment, openFiles: 24)
            #expect(ending.code == 78, "\(ending.output)")
            #expect(ending.output.contains("may open 24 files and sockets (RLIMIT_NOFILE)"), "\(ending.output)")
            let words = ending.output.split(separator: " ")
            let place = try #require(words.firstIndex(of: "needs"), "\(ending.output)")
            least = try #require(Int(words[place + 1]))
        }
        return least
    }

    /// Holds idle connections open while `body` runs.
    private func withIdleClients(_ count: Int, at ports: [Int], _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for port in ports {
                for _ in 0..<count {
                    group.addTask {
                        try? await withRawClient(to: port) { client in
                            _ = await client.untilClosed()
                        }
                    }
                }
            }
            try await body()
            group.cancelAll()
        }
    }

    /// Makes a call over a connection of its own. One that gave way before its request was sent is made anew, as
    /// clients do: here a thousand of them share two threads.
    private func call(_ method: String, _ target: String, at port: Int, body: String = "") async throws -> HTTPAnswer {
        for _ in 1..<50 {
            do {
                return try await withRawClient(to: port) { try await $0.call(method, target, body: body) }
            } catch is RawClient.Closed {}
        }
        return try await withRawClient(to: port) { try await $0.call(method, target, body: body) }
    }

    /// 0: the least that works. Where a machine has so many cores that it needs more, that many.
    @Test(arguments: [0, 128, 256]) func `a whole gateway works on`(files: Int) async throws {
        let ports = (metrics: try ReservedPort(), store: try ReservedPort())
        defer { withExtendedLifetime(ports) {} }
        let environment = [
            "PORT": "0", "TRACESTORE_PORT": "\(ports.store.number)", "METRICS_PORT": "\(ports.metrics.number)",
        ]
        let files = max(files, try await Self.least("serve", environment))
        try await ProgramFolder.with { folder in
            let ending = try await folder.run(
                "metadata-gateway", arguments: ["serve"], environment: environment, openFiles: files
            ) { process in
                let port = try port(in: try await process.line(with: "listens on http://"))
                try await process.line(with: "Stop it with Ctrl-C.")
                try await withIdleClients(2 * files, at: [port, ports.metrics.number, ports.store.number]) {
                    try await expectService(at: port)
                    for (port, page) in [
                        (port, "/health"), (ports.metrics.number, "/health"), (ports.metrics.number, "/metrics"),
                        (ports.store.number, "/api/public/health"),
                    ] {
                        #expect(try await call("GET", page, at: port).status == 200)
                    }
                    let warned = try await call("GET", "/ready", at: port).text
                    #expect(
                        warned.contains("may open \(files) files") && warned.contains("MAX_CONNECTIONS"), "\(warned)")
                    try await expectRest(of: process)
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
            #expect(
                ending.output.contains("may open \(files) files and sockets (RLIMIT_NOFILE), so MAX_CONNECTIONS is"))
            #expect(!ending.output.contains("cannot take connections"), "the reserve is enough: \(ending.output)")
        }
    }

    /// 0: the least that works.
    @Test(arguments: [0, 64, 128, 256]) func `an ingress works on`(files: Int) async throws {
        try await GatewayFleet.run(environment: ["LANGFUSE_HOST": "http://127.0.0.1:9"]) { fleet in
            let files = max(
                files, try await Self.least("ingress", fleet.environment.filter { $0.key != "SECRETS_PATH" }))
            try await fleet.forwarder { _ in
                let ending = try await fleet.folder.run(
                    "metadata-gateway", arguments: ["ingress"], environment: fleet.environment, openFiles: files
                ) { process in
                    let port = try port(in: try await process.line(with: "listens on"))
                    try await eventually { try await call("GET", "/ready", at: port).status == 200 }
                    try await withIdleClients(2 * files, at: [port]) {
                        #expect(try await call("GET", "/health", at: port).status == 200)
                        let body = ServeTests.body("mock/echo")
                        #expect(try await call("POST", ServeTests.path, at: port, body: body).status == 200)
                        try await expectRest(of: process)
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
                #expect(!ending.output.contains("cannot take connections"), "\(ending.output)")
            }
        }
    }

    /// The other parts work with the least that they say.
    @Test(arguments: ["forwarder", "verifier", "tracestore"]) func `a part works with the least`(
        part: String
    ) async throws {
        let metrics = try ReservedPort()
        defer { withExtendedLifetime(metrics) {} }
        try await GatewayFleet.run(environment: ["METRICS_PORT": "\(metrics.number)", "TRACESTORE_PORT": "0"]) {
            fleet in
            var environment = fleet.environment
            if part != "tracestore" { environment["LANGFUSE_HOST"] = "http://127.0.0.1:9" }
            let files = try await Self.least(part, environment.filter { $0.key != "SECRETS_PATH" })
            let ending = try await fleet.folder.run(
                "metadata-gateway", arguments: [part], environment: environment, openFiles: files
            ) { process in
                try await process.line(with: "answers /metrics and /health on")
                try await withIdleClients(2 * files, at: [metrics.number]) {
                    #expect(try await call("GET", "/health", at: metrics.number).status == 200)
                    try await expectRest(of: process)
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
            #expect(!ending.output.contains("cannot take connections"), "\(ending.output)")
        }
    }

    private func expectService(at port: Int) async throws {
        let began = ContinuousClock.now
        #expect(try await call("GET", "/health", at: port).status == 200)
        #expect(began.duration(to: .now) < .seconds(10), "idle clients give way")
        let body = ServeTests.body("mock/echo")
        #expect(try await call("POST", ServeTests.path, at: port, body: body).status == 200)
        try await eventually(within: .seconds(60)) {
            try await call("GET", "/rollouts/demo?wait=5", at: port).text.contains(#""verdict":"complete""#)
        }
    }

    /// The process burns no core.
    private func expectRest(of process: GatewayProcess) async throws {
        let figures = ProcessFigures(id: process.id)
        let before = try figures.processorTime()
        let end = ContinuousClock.now + .seconds(3)
        try await eventually { ContinuousClock.now >= end }
        let used = try figures.processorTime() - before
        #expect(used < .milliseconds(1500), "\(used) of 3 s")
    }

    /// The descriptors are taken away from a running process, and given back.
    @Test func `a port rests until there are descriptors`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { process, port in
                try await withRawClient(to: port) { kept in
                    #expect(try await kept.call("GET", "/health").status == 200)
                    // No further one can be opened. Those that are open stay.
                    try await limit(process, to: "8")
                    try await withThrowingTaskGroup { group in
                        for _ in 0..<20 {
                            group.addTask { try await call("GET", "/health", at: port).status }
                        }
                        try await process.line(with: "cannot take connections")
                        try await expectRest(of: process)
                        let failures = try await failures(kept)
                        #expect((1...200).contains(failures), "ten a second: \(failures)")
                        try await limit(process, to: "4096")
                        for try await status in group { #expect(status == 200) }
                    }
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
            #expect(ending.output.ranges(of: "cannot take connections").count == 1, "once: \(ending.output)")
        }
    }

    /// How often the port could not take a connection.
    private func failures(_ client: RawClient) async throws -> Int {
        let page = try await client.call("GET", "/metrics").text
        let sample = page.firstMatch(of: /gateway_accept_failures_total\{port="ingress"\} (\d+)/)
        return try #require(sample.flatMap { Int($0.output.1) })
    }

    /// - Parameter files: the soft limit of the process's open files.
    private func limit(_ process: GatewayProcess, to files: String) async throws {
        let result = try await Subprocess.run(
            .name("prlimit"), arguments: ["--pid", "\(process.id)", "--nofile=\(files):"], output: .discarded,
            error: .string(limit: 4096))
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
    }
}

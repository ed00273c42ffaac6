import Common
import FoundationEssentials
import NIOConcurrencyHelpers
import Redis
import Subprocess
import TestSupport
import Testing

/// What was asked and answered in each way that a call can go, looked for in all that the gateway writes: traces, what
/// is exported of them, Redis's files, dead letters, and what its processes say. Real processes.
@Suite(.timeLimit(.minutes(5)), .serialized) struct WithheldRequestTests {
    /// The cases, and whether the completion succeeds.
    private static let cases: [(name: String, model: String, isStream: Bool, status: Int)] = [
        ("plain", "primary/x", false, 200), ("stream", "primary/x", true, 200), ("4xx", "primary/x", false, 400),
        ("5xx", "primary/x", true, 500), ("fallback", "primary/fallback", false, 200),
    ]
    private static let names = cases.map(\.name) + ["cancel", "dead", "kill"]
    private static let rules = """
        type: gateway-fallback-config
        rules:
          - id: spare
            when: {models: [primary/fallback], response_status_codes: [500]}
            fallback_models: [backup/x]
        """

    /// One run of all cases over one fleet.
    private struct Run {
        let rig: TraceRig
        let provider: CanaryProvider
        let isLogged: Bool
        /// What the processes said that have ended.
        let said = NIOLockedValueBox("")

        var fleet: GatewayFleet { rig.fleet }

        var headers: [String] { isLogged ? [] : [#"X-TFY-LOGGING-CONFIG: {"enabled": false}"#] }

        func note(_ ending: GatewayProcess.Ending) { said.withLockedValue { $0 += ending.output } }

        func body(_ name: String, _ model: String = "primary/x", stream: Bool = false) -> String {
            let text = "canary-\(name)-prompt"
            return #"{"model": "\#(model)", "stream": \#(stream), "user": "\#(text)", "stop": ["\#(text)"], "#
                + #""metadata": {"note": "\#(text)"}, "messages": [{"role": "user", "content": "\#(text)"}]}"#
        }

        /// Makes a call and waits for its answer.
        func call(
            _ name: String, _ model: String = "primary/x", stream: Bool = false, to port: Int
        ) async throws -> HTTPAnswer {
            try await withRawClient(to: port) { client in
                try await client.call(
                    "POST", ServeTests.path, headers: headers, body: body(name, model, stream: stream))
            }
        }

        /// A client that leaves in the middle of its answer.
        func leave(_ port: Int) async throws {
            try await withRawClient(to: port) { client in
                try await client.send(
                    "POST", ServeTests.path, headers: headers, body: body("cancel", stream: true))
                #expect(try await client.head().status == 200)
                let piece = try #require(try await client.chunk())
                #expect(String(decoding: piece, as: UTF8.self).contains("canary-cancel-answer"))
            }
        }

        /// Gives a job that waits to a forwarder that is none, as if several had been lost over it.
        func bury() async throws {
            try await eventually { try await fleet.length(Keys.jobs) == 1 }
            _ = try await fleet.redis.send(
                RedisCommand("XGROUP", "CREATE", Keys.jobs, Keys.jobGroup, "0", "MKSTREAM"))
            let given = try await fleet.redis.send(
                RedisCommand(
                    "XREADGROUP", "GROUP", Keys.jobGroup, "lost", "COUNT", 1, "STREAMS", Keys.jobs, ">"))[0][1][0]
            _ = try await fleet.redis.send(
                RedisCommand(
                    "XCLAIM", Keys.jobs, Keys.jobGroup, "lost", 0, given[0].string ?? "", "RETRYCOUNT", 9))
        }
    }

    @Test(arguments: [false, true]) func `what was said stands only where it may`(isLogged: Bool) async throws {
        let environment = [
            "CONFIG_PATH": "gateway.yaml", "LOG_LEVEL": "trace",
            "REQUEST_LOGGING_MODE": "HEADER_CONTROLLED",
        ]
        try await CanaryProvider.run { provider in
            try await TraceRig.run(redis: RedisFiles.options, environment: environment) { rig in
                let accounts = ["primary", "backup"].map { name in
                    #""\#(name)": {"base_url": "http://127.0.0.1:\#(provider.port)/\#(name)", "key": "sk-\#(name)"}"#
                }
                let keys = #"{"public_key": "pk-lf-main", "secret_key": "sk-lf-main"}"#
                try rig.fleet.folder.write(
                    #"{"accounts": {\#(accounts.joined(separator: ", "))}, "default_project_id": "main", "#
                        + #""langfuse_keys": {"main": \#(keys)}}"#, to: "secrets.yaml")
                try rig.fleet.folder.write(Self.rules, to: "gateway.yaml")
                let run = Run(rig: rig, provider: provider, isLogged: isLogged)
                try await rig.store {
                    run.note(
                        try await rig.fleet.ingress { _, port in
                            run.note(
                                try await rig.verifier { _ in
                                    run.note(try await self.withLog(rig) { try await self.make(run, port) })
                                })
                        })
                }
                try expectFiles(run)
            }
        }
    }

    /// Runs the process that keeps the request log while `body` does.
    private func withLog(_ rig: TraceRig, _ body: () async throws -> Void) async throws -> GatewayProcess.Ending {
        try await rig.fleet.process("tracestore", variables: ["DATA_DIR": "log", "TRACESTORE_PORT": "0"]) { process in
            try await process.line(with: "listens on http://")
            try await body()
        }
    }

    /// Makes the calls of all cases, and looks at what is there then.
    private func make(_ run: Run, _ port: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let answer = try await run.call("dead", to: port)
                #expect(answer.error?.code == "dead_lettered", "\(answer.text)")
            }
            try await run.bury()
            group.addTask {
                let answer = try await run.call("kill", to: port)
                #expect(answer.status == 200 && answer.text.contains("canary-kill-answer"), "\(answer.text)")
            }
            run.note(
                try await run.fleet.forwarder { process in
                    try await eventually { run.provider.calls("kill") == 1 }
                    try process.send(.kill)
                })
            run.note(
                try await run.fleet.forwarder { _ in
                    for (name, model, isStream, status) in Self.cases {
                        let answer = try await run.call(name, model, stream: isStream, to: port)
                        #expect(answer.status == status && answer.text.contains("canary-\(name)-answer"))
                    }
                    try await run.leave(port)
                    try await group.waitForAll()
                    try await run.rig.exported(Self.names.count)
                    try await expectTraces(run, port)
                    try await expectRows(port)
                    try await expectRedis(run)
                })
        }
    }

    /// Each completion has its trace, and the rollout is complete, with content and without.
    private func expectTraces(_ run: Run, _ port: Int) async throws {
        let verdict = try await RolloutTests.get("/v1/rollouts/demo?wait=60", port: port).text
        #expect(
            verdict.contains(#""verdict":"complete","expected":4,"traced":4,"in_flight":0,"failed":4"#), "\(verdict)")
        let traces = try await RolloutTests.get("/traces?tags=rollout_id:demo", port: port).text
        #expect(traces.contains(#""total_traces":4"#))
        #expect(traces.contains(#""gateway_content":"withheld""#) == !run.isLogged)
        let environment = ["GATEWAY_URL": "http://127.0.0.1:\(port)"]
        let written = try await run.fleet.folder.run(
            "metadata-gateway", arguments: ["traces", "demo", "--out", "demo.jsonl"], environment: environment)
        #expect(written.code == 0, "\(written.output)")
        let file = String(decoding: try #require(try run.fleet.folder.contents()["demo.jsonl"]), as: UTF8.self)
        for (text, place) in [(traces, "/traces"), (file, "the export")] {
            for name in ["plain", "stream", "fallback", "kill"] {
                expect(run, bytes: Array(text.utf8), canary: "canary-\(name)-prompt", in: place)
                expect(run, bytes: Array(text.utf8), canary: "canary-\(name)-answer", in: place)
            }
        }
    }

    /// Each call has a row, withheld or not. A row has no bodies.
    private func expectRows(_ port: Int) async throws {
        try await eventually {
            let rows = try await RolloutTests.get("/v1/logs/requests?format=jsonl", port: port)
            return rows.status == 200 && rows.text.split(separator: "\n").count == Self.names.count
        }
        for path in ["/v1/logs/requests", "/v1/logs/requests?format=jsonl", "/v1/logs/requests?format=csv"] {
            let rows = try await RolloutTests.get(path, port: port)
            #expect(
                rows.status == 200 && rows.text.contains("dead_lettered") && !rows.text.contains("canary"),
                "\(rows.text)")
        }
        let ends = try await RolloutTests.get("/v1/metrics/query?measures=requests&group_by=status", port: port)
        #expect(ends.status == 200 && !ends.text.contains("canary"), "\(ends.text)")
    }

    private func expectRedis(_ run: Run) async throws {
        try await eventually { try await run.fleet.length(Keys.jobs) == 0 }
        let key = try #require(run.fleet.environment["GATEWAY_KEY"].flatMap { GatewayKey(base64: $0) })
        let letters = try await run.fleet.redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+")).array ?? []
        #expect(letters.count == 1 && letters[0][1][8].string == (run.isLogged ? "p" : "withheld"))
        #expect(try await run.fleet.redis.send(RedisCommand("KEYS", "gateway/jobkey/*")).array?.isEmpty == true)
        let before = try RedisFiles(in: run.fleet.server.folder, key: key)
        for name in Self.names {
            // What was asked was in the file, under the gateway's key or under one that it opens.
            let canary = Array("canary-\(name)-prompt".utf8)
            #expect(before.opened.contains { $0.firstRange(of: canary) != nil } == run.isLogged, "\(name)")
            #expect(before.openedInTwoSteps.contains { $0.firstRange(of: canary) != nil } == !run.isLogged, "\(name)")
        }
        if !run.isLogged {
            #expect(!before.opened.contains { $0.firstRange(of: Array("canary-".utf8)) != nil }, "nor any answer")
        }
        try await RedisFiles.rewrite(over: run.fleet.redis)
        let after = try RedisFiles(in: run.fleet.server.folder, key: key)
        #expect(after.opened.count > 10, "there is something to look at")
        guard !run.isLogged else { return }
        for text in after.opened + after.openedInTwoSteps {
            #expect(text.firstRange(of: Array("canary-".utf8)) == nil)
        }
    }

    /// What the processes said, and all files: the trace store's, Redis's, the export.
    private func expectFiles(_ run: Run) throws {
        let said = run.said.withLockedValue { Array($0.utf8) }
        #expect(said.count > 1000, "there is a log to look at")
        #expect(said.firstRange(of: Array("canary-".utf8)) == nil, "no log quotes anything, logged or not")
        var files = try run.fleet.folder.contents()
        let store = files.filter { $0.key.contains("traces.sqlite") }.flatMap(\.value)
        files.merge(try ProgramFolder(path: run.fleet.server.folder).contents()) { first, _ in first }
        for name in Self.names {
            expect(run, bytes: store, canary: "canary-\(name)-prompt", in: "the trace store")
            guard name != "dead" else { continue }
            expect(run, bytes: store, canary: "canary-\(name)-answer", in: "the trace store")
        }
        guard !run.isLogged else { return }
        for (name, bytes) in files { #expect(bytes.firstRange(of: Array("canary-".utf8)) == nil, "\(name)") }
    }

    /// A canary is in a place if the requests are logged, and is not if they are withheld.
    private func expect(
        _ run: Run, bytes: [UInt8], canary: String, in place: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isThere = bytes.firstRange(of: Array(canary.utf8)) != nil
        #expect(isThere == run.isLogged, "\(canary) in \(place)", sourceLocation: sourceLocation)
    }
}

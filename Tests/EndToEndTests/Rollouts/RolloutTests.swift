import Common
import JSON
import Subprocess
import TestSupport
import Testing

/// The question that the gateway is for, from the first completion to its answer: real processes, and no configuration.
@Suite(.timeLimit(.minutes(5))) struct RolloutTests {
    private static func path(row: Int, rollout: String = "demo") -> String {
        "/rollout_id/\(rollout)/invocation_id/i/experiment_id/e/run_id/r/row_id/\(row)/chat/completions"
    }

    static func complete(
        _ rows: Range<Int>, model: String = "mock/echo", rollout: String = "demo", port: Int
    ) async throws {
        try await withRawClient(to: port) { client in
            for row in rows {
                _ = try await client.call(
                    "POST", path(row: row, rollout: rollout),
                    body: ServeTests.body(model, "row \(row)", stream: row.isMultiple(of: 2)))
            }
        }
    }

    static func get(_ path: String, headers: [String] = [], port: Int) async throws -> HTTPAnswer {
        try await withRawClient(to: port) { try await $0.call("GET", path, headers: headers) }
    }

    @Test func `every completion is traced verified and read back`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                try await Self.complete(0..<10, port: port)
                try await Self.complete(10..<12, model: "mock/echo?status=400", port: port)
                try await Self.complete(0..<2, model: "mock/echo?status=400", rollout: "failing", port: port)
                let answer = try await Self.get("/v1/rollouts/demo?wait=60", port: port)
                #expect(
                    answer.text.contains(
                        #""verdict":"complete","expected":10,"traced":10,"in_flight":0,"failed":2,"missing":[]"#),
                    "\(answer.text)")
                // Known by now: nobody is asked again, and a client that has it is told no more.
                let known = try await Self.get(
                    "/v1/rollouts/demo", headers: ["If-None-Match: \(answer["etag"] ?? "")"], port: port)
                #expect(known.status == 304 && known.body.isEmpty)
                let traces = try await Self.get("/traces?tags=rollout_id:demo&limit=3", port: port)
                #expect(
                    traces.status == 200
                        && traces.text.hasPrefix(#"{"project_id":"local","total_traces":3,"traces":["#),
                    "\(traces.text)")
                #expect(
                    traces.text.contains(
                        #""input":{"messages":[{"role": "user", "content": "row 9"}]},"output":{"role":"assistant","content":"row 9"}"#
                    ))
                let newest = try await Self.get("/traces/pointwise?tags=rollout_id:demo", port: port)
                #expect(newest.text.contains("row_id:9") && newest.text.contains(#""total_traces":1,"#))
                #expect(try await Self.get("/v1/rollouts/other", port: port).status == 404)
                #expect(try await Self.get("/v1/project_id/other/rollouts/demo", port: port).status == 404)
                #expect(
                    try await Self.get("/rollouts?tag=run_id:r", port: port).text.contains(
                        #""rollout_id":"demo","invocation_id":"i""#))
                try await askFromTheCommandLine(folder, port)
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// Metadata of a header is in the trace, with its source, and completions are found by it.
    @Test func `metadata is in the trace and finds it`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                for (row, team) in ["red", "blue", "red"].enumerated() {
                    try await withRawClient(to: port) { client in
                        let answer = try await client.call(
                            "POST", Self.path(row: row),
                            headers: [#"X-TFY-METADATA: {"team":"\#(team)","env":"prod"}"#],
                            body: ServeTests.body("mock/echo", "row \(row)", stream: row == 2))
                        #expect(answer.status == 200)
                    }
                }
                #expect(
                    try await Self.get("/v1/rollouts/demo?wait=60", port: port).text.contains(#""verdict":"complete""#))
                let red = try await Self.get("/traces?tags=rollout_id:demo&tags=team:red", port: port).text
                #expect(
                    red.contains(#""total_traces":2,"#) && red.contains("row_id:0") && red.contains("row_id:2"),
                    "\(red)")
                #expect(red.contains(#""team":"red","env":"prod""#) && red.contains("env:prod"), "\(red)")
                #expect(
                    red.contains(#""gateway_metadata_origins":"{\"team\":\"header\",\"env\":\"header\"}""#), "\(red)")
                let green = try await Self.get("/traces?tags=rollout_id:demo&tags=team:green&max_retries=0", port: port)
                #expect(!green.text.contains("row_id"), "\(green.text)")
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// The operator's rules: a request that breaks one is refused, and what they set is in the trace with its source.
    @Test func `rules on metadata are kept`() async throws {
        try await ProgramFolder.with { folder in
            let rules = """
                type: gateway-metadata-config
                keys: {team: {required: true, regex: "[a-z]+"}}
                rules:
                  - {id: zone, gateway_metadata: {zone: eu}}
                """
            try folder.write(rules, to: "gateway.yaml")
            let ending = try await folder.serve(environment: ["CONFIG_PATH": "gateway.yaml"]) { _, port in
                let statuses = try await withRawClient(to: port) { client in
                    var statuses: [Int] = []
                    for metadata in [#"{"team":"red","zone":"us"}"#, #"{"team":"Red"}"#, "{}"] {
                        let answer = try await client.call(
                            "POST", Self.path(row: 0), headers: ["X-TFY-METADATA: \(metadata)"],
                            body: ServeTests.body("mock/echo", "x"))
                        statuses.append(answer.status)
                    }
                    return statuses
                }
                #expect(statuses == [200, 400, 400])
                let verdict = try await Self.get("/v1/rollouts/demo?wait=60", port: port).text
                #expect(verdict.contains(#""verdict":"complete","expected":1,"#), "\(verdict)")
                let traces = try await Self.get("/traces?tags=rollout_id:demo&tags=zone:eu", port: port).text
                #expect(
                    traces.contains(#""team":"red","zone":"eu""#) && traces.contains(#"\"zone\":\"gateway\"}""#),
                    "\(traces)")
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    private func askFromTheCommandLine(_ folder: ProgramFolder, _ port: Int) async throws {
        let environment = ["GATEWAY_URL": "http://127.0.0.1:\(port)"]
        let waited = try await folder.run("metadata-gateway", arguments: ["wait", "demo"], environment: environment)
        #expect(
            waited.code == 0 && waited.output.contains("demo is complete: all 10 completions are traced, 2 failed"),
            "\(waited.output)")
        let failed = try await folder.run("metadata-gateway", arguments: ["wait", "failing"], environment: environment)
        #expect(
            failed.code == 0 && failed.output.contains("complete: none of its completions has succeeded, 2 failed"),
            "\(failed.output)")
        let unknown = try await folder.run(
            "metadata-gateway", arguments: ["wait", "nobody", "--timeout", "1s"], environment: environment)
        #expect(unknown.code == 2 && unknown.output.contains("nobody"), "\(unknown.output)")
        let listed = try await folder.run("metadata-gateway", arguments: ["rollouts"], environment: environment)
        #expect(listed.code == 0 && listed.output.contains("demo"), "\(listed.output)")
        let written = try await folder.run(
            "metadata-gateway", arguments: ["traces", "demo", "--out", "demo.jsonl"], environment: environment)
        #expect(written.code == 0, "\(written.output)")
        let lines = try #require(try folder.contents()["demo.jsonl"]).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 10 && lines.allSatisfy { (try? JSONObject.scan(Array($0), maximumDepth: 16)) != nil })
        let printed = try await folder.run(
            "metadata-gateway", arguments: ["traces", "demo", "--out", "-"], environment: environment)
        #expect(
            printed.code == 0 && lines.allSatisfy { printed.output.contains(String(decoding: $0, as: UTF8.self)) },
            "\(printed.output)")
        #expect(try folder.contents()["-"] == nil)
    }

    /// What stops between an answer and its export loses nothing: the next process exports it.
    @Test func `what was not exported is exported by the next process`() async throws {
        try await ProgramFolder.with { folder in
            // The first completion leaves at once; those after it are collected for longer than the process lives.
            let slow = ["EXPORT_INTERVAL_MS": "60000"]
            _ = try await folder.serve(environment: slow) { process, port in
                try await Self.complete(0..<1, port: port)
                #expect(
                    try await Self.get("/v1/rollouts/demo?wait=30", port: port).text.contains(#""verdict":"complete""#))
                try await Self.complete(1..<21, port: port)
                let now = try await Self.get("/v1/rollouts/demo", port: port)
                #expect(now.text.contains(#""verdict":"incomplete","expected":21,"traced":1,"#), "\(now.text)")
                try process.send(.kill)
            }
            let ending = try await folder.serve { _, port in
                let answer = try await Self.get("/v1/rollouts/demo?wait=120", port: port)
                #expect(answer.text.contains(#""verdict":"complete","expected":21,"traced":21,"#), "\(answer.text)")
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }
}

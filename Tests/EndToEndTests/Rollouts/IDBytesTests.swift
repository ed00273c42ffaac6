import Common
import Redis
import TestSupport
import Testing

/// Ids are their bytes on every route: what looks alike is another rollout, and no id is broken by what it begins with.
@Suite(.timeLimit(.minutes(5))) struct IDBytesTests {
    private static let ids: [(name: String, id: String)] = [
        ("composed", "caf\u{E9}"), ("decomposed", "cafe\u{301}"), ("a mark first", "\u{301}x"),
        ("a joiner first", "\u{200D}x"),
        ("a selector first", "\u{FE0F}x"), ("a skin tone first", "\u{1F3FD}"), ("a backslash", #"a\b"#),
        ("a backslash first", #"\a"#),
        ("Kelvin's sign", "\u{212A}"), ("its letter", "K"), ("marks in one order", "q\u{307}\u{323}"),
        ("and in the other", "q\u{323}\u{307}"),
        ("Hangul", "\u{AC00}"), ("its letters", "\u{1100}\u{1161}"),
        ("128 marks", String(repeating: "\u{323}\u{301}", count: 64)),
    ]

    private static func path(_ id: String) -> String {
        let id = PercentEncoding.segment(id)
        return "/rollout_id/\(id)/invocation_id/\(id)/experiment_id/e/run_id/\(id)/row_id/1/chat/completions"
    }

    @Test func `every ID is a rollout of its own on every route`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { _, port in
                // As many completions as its place in the table says, so that two rollouts that were joined would be
                // told by their counts.
                for (index, id) in Self.ids.enumerated() {
                    for _ in 0...index {
                        let answer = try await withRawClient(to: port) {
                            try await $0.call("POST", Self.path(id.id), body: ServeTests.body("mock/echo", id.name))
                        }
                        #expect(answer.status == 200, "\(id.name): \(answer.text)")
                    }
                }
                for (index, id) in Self.ids.enumerated() {
                    try await askFor(id, count: index + 1, in: folder, port: port)
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    private func askFor(_ id: (name: String, id: String), count: Int, in folder: ProgramFolder, port: Int) async throws
    {
        let encoded = PercentEncoding.segment(id.id)
        let verdict = try await RolloutTests.get("/rollouts/\(encoded)?wait=60", port: port)
        #expect(
            verdict.text.contains(#""verdict":"complete","expected":\#(count),"traced":\#(count),"#),
            "\(id.name): \(verdict.text)")
        let traces = try await RolloutTests.get("/traces?tags=rollout_id:\(encoded)", port: port)
        #expect(traces.text.contains(#""total_traces":\#(count),"#), "\(id.name): \(traces.text.prefix(300))")
        #expect(traces.text.contains(id.name), "\(id.name)")
        let filtered = try await RolloutTests.get(
            "/traces?tags=rollout_id:\(encoded)&tags=run_id:\(encoded)", port: port)
        #expect(filtered.text.contains(#""total_traces":\#(count),"#), "\(id.name): \(filtered.text.prefix(300))")
        let listed = try await RolloutTests.get("/rollouts?tag=invocation_id:\(encoded)", port: port)
        #expect(
            listed.text.split(separator: #""rollout_id""#, omittingEmptySubsequences: false).count == 2,
            "\(id.name): \(listed.text)")
        let entry =
            #"{"message":"m","tags":["rollout_id:\#(id.id.replacing(#"\"#, with: #"\\"#))"],"status":{"code":\#(count)}}"#
        let logged = try await withRawClient(to: port) { try await $0.call("POST", "/logs", body: entry) }
        #expect(logged.status == 200, "\(id.name): \(logged.text)")
        let status = try await RolloutTests.get("/status?rollout_id=\(encoded)", port: port)
        #expect(status.text.contains(#""status":{"code":\#(count)}"#), "\(id.name): \(status.text)")
        let logs = try await RolloutTests.get("/logs?tags=rollout_id:\(encoded)", port: port)
        #expect(logs.text.contains(#"{"code":\#(count)}"#), "\(id.name): \(logs.text)")
        let environment = ["GATEWAY_URL": "http://127.0.0.1:\(port)"]
        let waited = try await folder.run(
            "metadata-gateway", arguments: ["wait", "--", id.id], environment: environment)
        #expect(
            waited.code == 0 && waited.output.contains("complete: all \(count) completion"),
            "\(id.name): \(waited.output)")
        let written = try await folder.run(
            "metadata-gateway", arguments: ["traces", "--out", "out.jsonl", "--", id.id], environment: environment)
        #expect(written.code == 0, "\(id.name): \(written.output)")
        #expect(try folder.contents()["out.jsonl"]?.split(separator: UInt8(ascii: "\n")).count == count, "\(id.name)")
    }

    /// Two projects that look alike are two, and one that is written the other way is unknown and leaves nothing
    /// behind.
    @Test func `projects are their bytes`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(
                "langfuse_keys:\n  other:\n  caf\u{E9}:\n  q\u{307}\u{323}:\n  q\u{323}\u{307}:\ndefault_project_id: other\n",
                to: "secrets.yaml")
            let ending = try await folder.serve(environment: ["LANGFUSE_HOST": "embedded"]) { _, port in
                let good = ["caf\u{E9}", "q\u{307}\u{323}", "q\u{323}\u{307}", "other"]
                let bad = ["cafe\u{301}", "Caf\u{E9}", "o\u{200D}ther", "\u{301}", "caf\u{E9}\u{200D}"]
                for (index, project) in (good + bad).enumerated() {
                    let base = "/v1/project_id/\(PercentEncoding.segment(project))"
                    let isKnown = index < good.count
                    let answer = try await withRawClient(to: port) {
                        try await $0.call("POST", base + Self.path("r\(index)"), body: ServeTests.body("mock/echo"))
                    }
                    #expect(answer.status == (isKnown ? 200 : 404), "\(index): \(answer.text)")
                    if !isKnown { #expect(answer.error?.code == "unknown_project") }
                    let verdict = try await RolloutTests.get("\(base)/rollouts/r\(index)?wait=60", port: port)
                    #expect(verdict.text.contains(#""verdict":"complete""#) == isKnown, "\(index): \(verdict.text)")
                    for later in (index + 1)..<(index + 2) where isKnown {
                        #expect(try await RolloutTests.get("\(base)/rollouts/r\(later)", port: port).status == 404)
                    }
                }
                let waiting = try await withRedisClient(folder.redis) {
                    try await $0.send(RedisCommand("EXISTS", Keys.traceBytes)).int
                }
                #expect(waiting == 0, "no span waits for a project that nobody exports")
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }
}

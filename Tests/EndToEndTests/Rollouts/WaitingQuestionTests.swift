import Common
import Redis
import Subprocess
import TestSupport
import Testing

/// Questions that wait for rollouts that run, in real processes: they hold up no others, and survive their verifier.
@Suite(.timeLimit(.minutes(5))) struct WaitingQuestionTests {
    private static let projects = ["a", "b", "c"]
    private static let secrets: String = {
        let keys = projects.map { #""\#($0)": {"public_key": "pk-lf-\#($0)", "secret_key": "sk-lf-\#($0)"}"# }
        return #"{"default_project_id": "a", "langfuse_keys": {\#(keys.joined(separator: ", "))}}"#
    }()

    /// The longest that an answer may take that waits for nothing.
    private static let prompt = Duration.seconds(10)

    /// Begins a completion that runs for longer than the test.
    private static func begin(_ rollout: String, of project: String, _ client: RawClient) async throws {
        let answer = try await client.call(
            "POST",
            "/project_id/\(project)/rollout_id/\(rollout)/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions",
            headers: ["Prefer: respond-async"], body: ServeTests.body("mock/echo?delay_ms=280000"))
        #expect(answer.status == 202, "\(answer.text)")
    }

    private static func ask(
        _ rollout: String, of project: String, query: String = "", port: Int
    ) async throws -> (answer: HTTPAnswer, time: Duration) {
        let asked = ContinuousClock.now
        let answer = try await RolloutTests.get("/project_id/\(project)/rollouts/\(rollout)\(query)", port: port)
        return (answer, asked.duration(to: .now))
    }

    private static func isIncomplete(_ answer: HTTPAnswer, _ verdict: String = "incomplete") -> Bool {
        answer.status == 200
            && answer.text.contains(#""verdict":"\#(verdict)","expected":1,"traced":0,"in_flight":1,"failed":0"#)
    }

    /// What a question gets that has waited for its whole time. On a busy machine that may end in the middle of a look
    /// at the trace store, and then nothing is said of the rollout.
    private static func isStillIncomplete(_ answer: HTTPAnswer) -> Bool {
        isIncomplete(answer) || isIncomplete(answer, "unknown")
    }

    private static func waiting(port: Int) async throws -> Int {
        let page = try await RolloutTests.get("/metrics", port: port).text
        let line = page.split(separator: "\n").first {
            $0.hasPrefix(#"gateway_verifier_questions{state="waiting"} "#)
        }
        return line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    private static func serve(
        _ environment: [String: String], _ body: (_ port: Int) async throws -> Void
    ) async throws {
        try await ProgramFolder.with { folder in
            try folder.write(secrets, to: "secrets.yaml")
            let variables = environment.merging(["SECRETS_PATH": "secrets.yaml", "DRAIN_SECONDS": "1"]) { $1 }
            _ = try await folder.serve(environment: variables) { _, port in try await body(port) }
        }
    }

    /// 80 askers of two projects wait for 20 s; a question of a third one, of one of theirs, and on one of the very
    /// rollouts that are waited for, is answered at once.
    @Test(arguments: [nil, "2", "1"]) func `questions that wait hold up no others`(concurrency: String?) async throws {
        try await Self.serve(concurrency.map { ["VERIFIER_CONCURRENCY": $0] } ?? [:]) { port in
            try await withRawClient(to: port) { client in
                for project in Self.projects {
                    for number in 0..<20 { try await Self.begin("r\(number)", of: project, client) }
                }
            }
            try await withThrowingTaskGroup(of: (HTTPAnswer, Duration).self) { group in
                for number in 0..<80 {
                    let (project, rollout) = (Self.projects[number % 2], "r\(number / 2 % 20)")
                    group.addTask { try await Self.ask(rollout, of: project, query: "?wait=20", port: port) }
                }
                try await eventually(within: .seconds(15)) { try await Self.waiting(port: port) == 80 }
                for (rollout, project) in [("r3", "c"), ("r4", "c"), ("r5", "a"), ("r6", "b")] {
                    let (answer, time) = try await Self.ask(rollout, of: project, port: port)
                    #expect(Self.isIncomplete(answer) && time < Self.prompt, "\(project): \(time), \(answer.text)")
                }
                let began = ContinuousClock.now
                let traces = try await RolloutTests.get(
                    "/project_id/c/traces?tags=rollout_id:r7&max_retries=0", port: port)
                #expect(traces.status == 404 && traces.text.contains("rollout_incomplete"), "\(traces.text)")
                #expect(began.duration(to: .now) < Self.prompt)
                let ready = try await RolloutTests.get("/ready", port: port).text
                #expect(!ready.contains("held up"), "\(ready)")
                for try await (answer, time) in group {
                    #expect(Self.isStillIncomplete(answer), "\(answer.text)")
                    #expect(time > .seconds(19.5) && time < .seconds(20) + Self.prompt, "\(time)")
                }
            }
            #expect(try await Self.waiting(port: port) == 0)
        }
    }

    /// Those that find no place get what is known, at once, and the operator is told.
    @Test func `more than may wait get what is known`() async throws {
        try await Self.serve(["VERIFIER_WAITERS": "8"]) { port in
            try await withRawClient(to: port) { client in
                for project in Self.projects {
                    for number in 0..<12 { try await Self.begin("r\(number)", of: project, client) }
                }
            }
            try await withThrowingTaskGroup(of: (HTTPAnswer, Duration).self) { group in
                // A project alone has half of the places.
                for number in 0..<4 {
                    group.addTask { try await Self.ask("r\(number)", of: "a", query: "?wait=20", port: port) }
                }
                try await eventually(within: .seconds(15)) { try await Self.waiting(port: port) == 4 }
                for number in 4..<12 {
                    let (answer, time) = try await Self.ask("r\(number)", of: "a", query: "?wait=20", port: port)
                    #expect(Self.isIncomplete(answer) && time < Self.prompt, "\(time), \(answer.text)")
                }
                try await eventually(within: .seconds(15)) {
                    try await RolloutTests.get("/ready", port: port).text.contains("VERIFIER_WAITERS is 8")
                }
                let page = try await RolloutTests.get("/metrics", port: port).text
                #expect(page.contains("\ngateway_verifiers_busy 1\n"))
                #expect(page.contains("\ngateway_verifier_no_place_total 8\n"))
                group.addTask { try await Self.ask("r0", of: "b", query: "?wait=3", port: port) }
                var times: [Duration] = []
                for try await (answer, time) in group {
                    #expect(Self.isStillIncomplete(answer), "\(answer.text)")
                    times.append(time)
                }
                #expect(times.count { $0 > .seconds(19.5) } == 4 && times.count { $0 < .seconds(3) + Self.prompt } == 1)
            }
            try await eventually(within: .seconds(30)) {
                try await !RolloutTests.get("/ready", port: port).text.contains("held up")
            }
        }
    }

    /// kill -9 of the verifier at which questions wait: another one takes them over. One is answered as soon as its
    /// rollout is complete, one when its wait is over, as counted from the asking.
    @Test func `a verifier that dies while questions wait`() async throws {
        try await TraceRig.run { rig in
            try await rig.store {
                try await rig.fleet.ingress { _, port in
                    try await rig.fleet.forwarder { _ in
                        try await withRawClient(to: port) { client in
                            for (job, rollout) in [(1, "ends"), (2, "runs")] {
                                try await rig.begin(job, of: rollout, on: client)
                            }
                        }
                        try await eventually { rig.fleet.provider.held.count == 2 }
                        try await rig.verifier { first in try await askTwice(rig, first, port: port) }
                    }
                }
            }
        }
    }

    private func askTwice(_ rig: TraceRig, _ first: GatewayProcess, port: Int) async throws {
        try await withThrowingTaskGroup(of: (String, HTTPAnswer, Duration).self) { group in
            for (rollout, wait) in [("ends", 200), ("runs", 45)] {
                group.addTask {
                    let (answer, time) = try await Self.ask(rollout, of: "main", query: "?wait=\(wait)", port: port)
                    return (rollout, answer, time)
                }
            }
            try await eventually {
                let keys = ["ends", "runs"].map { Keys.verifying(of: Rollout($0, project: "main")) }
                return try await rig.fleet.redis.send(RedisCommand("EXISTS", keys[0], keys[1])).int == 2
            }
            try await rig.verifier { _ in
                try first.send(.kill)
                rig.fleet.provider.answer { $0.job == "job-1" }
                for try await (rollout, answer, time) in group {
                    if rollout == "ends" {
                        #expect(
                            answer.text.contains(#""verdict":"complete","expected":1,"traced":1"#), "\(answer.text)")
                        #expect(time < .seconds(90))
                    } else {
                        #expect(Self.isStillIncomplete(answer), "\(answer.text)")
                        #expect(time > .seconds(44.5) && time < .seconds(45) + Self.prompt, "\(time)")
                    }
                }
            }
        }
    }
}

extension TraceRig {
    /// Begins a completion in the background that ends when the provider is told to.
    fileprivate func begin(_ job: Int, of rollout: String, on client: RawClient) async throws {
        let path = "/rollout_id/\(rollout)/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions"
        let answer = try await client.call(
            "POST", path, headers: ["Prefer: respond-async"], body: GatewayFleet.body(job))
        #expect(answer.status == 202, "\(answer.text)")
    }
}

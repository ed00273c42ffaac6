import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// Scores stand beside the traces that `/traces` gives out.
@Suite(.timeLimit(.minutes(5))) struct TraceScoresTests {
    private func traces(_ sink: CollectingSink) throws -> [LangfuseJSON] {
        try #require(sink.json?.objects("traces"), "\(sink.status ?? 0) \(sink.text.prefix(300))")
    }

    private func text(_ json: LangfuseJSON, _ name: String) -> String {
        String(decoding: json.value(name), as: UTF8.self)
    }

    @Test(arguments: [
        ("v2", "4.16.0", TraceIdentity.traceID), ("v1", "3.110.0", .traceID), ("v2", "4.16.0", .tag),
        ("v1", "3.110.0", .tag),
    ])
    func `each trace has its scores`(_ api: String, _ version: String, _ identity: TraceIdentity) async throws {
        let store = FakeLangfuse(apis: [api], version: version)
        try await VerifierFixture.run(store: store, identity: identity) { fixture in
            let ids = try await fixture.complete(160)
            store.give(ids[3], scores: ["0.50", #""good""#])
            store.give(ids[155], scores: ["1"])
            let traces = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000"))
            #expect(traces.count == 160)
            for trace in traces {
                let scores = try #require(trace.objects("scores"))
                switch trace.text("id") {
                case ids[3].hex:
                    #expect(scores.map { text($0, "value") } == ["0.50", #""good""#])
                    #expect(scores.map { text($0, "observation_id") } == ["null", #""o""#])
                    #expect(scores.map { $0.text("data_type") } == ["NUMERIC", "CATEGORICAL"])
                    #expect(
                        scores[0].names == [
                            "id", "name", "value", "data_type", "source", "comment", "metadata", "config_id",
                            "observation_id", "timestamp",
                        ])
                    #expect(scores[0].text("name") == "n0" && text(scores[0], "metadata") == #"{"m":1}"#)
                case ids[155].hex: #expect(scores.count == 1)
                default: #expect(scores.isEmpty)
                }
            }
        }
    }

    @Test func `only who wants scores causes a call`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(40)
            store.give(ids[39], scores: ["1"])
            for (fields, names) in [
                ("name,output", ["id", "name", "output"]), ("io", ["id", "input", "output", "metadata"]), ("core", []),
            ] {
                let traces = try traces(
                    try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=\(fields)"))
                #expect(names.isEmpty || traces.first?.names == names)
                #expect(store.askedForScores.isEmpty)
            }
            let chosen = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=scores"))
            #expect(chosen.first?.names == ["id", "scores"] && chosen.first?.objects("scores")?.count == 1)
            // One page of traces, one call.
            #expect(store.askedForScores.count == 1)
            _ = try await fixture.ask("/traces/pointwise", query: "tags=rollout_id:r")
            #expect(store.askedForScores.last?.hasSuffix("traceId=\(ids[39].hex)") == true)
        }
    }

    @Test func `many scores come by the page and have a bound`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(3)
            for id in ids { store.give(id, scores: (0..<4000).map { "\($0)" }) }
            // Of three traces at once they are too many, and so fewer are read at a time.
            let traces = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=scores"))
            #expect(traces.compactMap { $0.objects("scores")?.count } == [4000, 4000, 4000])
            #expect(
                traces.allSatisfy { text($0, "id") != "null" } && Set(traces.compactMap { $0.text("id") }).count == 3)
            store.give(ids[0], scores: (0..<10_001).map { "\($0)" })
            // The newer traces are on their way by then: the answer breaks off, and says why.
            do {
                let answer = try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=scores")
                Issue.record("it was answered with \(answer.status ?? 0)")
            } catch let error as GatewayError {
                #expect(error.code == "trace_store_refused" && error.message.contains("TRACES_MAX_SCORES"))
            }
            let pointwise = try await fixture.ask("/traces/pointwise", query: "tags=rollout_id:r&fields=scores")
            #expect(try self.traces(pointwise).first?.objects("scores")?.count == 4000)
        }
    }

    /// A score's comment may be of any size, and a server's answers have a bound.
    @Test func `large scores come in smaller pages`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(3)
            for id in ids { store.give(id, scores: (0..<30).map { "\($0)" }) }
            let most = NIOLockedValueBox(7)
            store.fault.withLockedValue {
                $0 = { target in
                    guard target.hasPrefix("/api/public/v3/scores") else { return nil }
                    let items = try QueryItems(String(target.split(separator: "?")[1]))
                    let limit = try #require(Int(items.value("limit") ?? ""))
                    guard limit > most.withLockedValue({ $0 }) else { return nil }
                    return .init(422, body: #"{"message":"Too large","error":"PayloadTooLargeError"}"#)
                }
            }
            let traces = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=scores"))
            #expect(traces.compactMap { $0.objects("scores")?.count } == [30, 30, 30])
            #expect(traces.allSatisfy { Set($0.objects("scores")?.map { text($0, "value") } ?? []).count == 30 })
            most.withLockedValue { $0 = 0 }
            let refusal = try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=scores")
            #expect(refusal.status == 502 && refusal.json?.nested("error")?.text("code") == "trace_store_refused")
            #expect(refusal.text.contains("name the `fields` without scores") && !refusal.text.contains("again later"))
        }
    }

    /// A server without the API leaves the scores unknown; the traces are given out all the same.
    @Test func `without the API they are null`() async throws {
        let store = FakeLangfuse()
        store.state.withLockedValue { $0.scores = nil }
        try await VerifierFixture.run(store: store) { fixture in
            _ = try await fixture.complete(2)
            let traces = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r"))
            #expect(traces.count == 2 && traces.allSatisfy { text($0, "scores") == "null" })
        }
    }

    @Test(arguments: [503, 500]) func `what fails once is asked for again`(status: Int) async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(60)
            store.give(ids[5], scores: ["1"])
            let isFirst = NIOLockedValueBox(true)
            store.fault.withLockedValue {
                $0 = { target in
                    guard target.hasPrefix("/api/public/v3/scores") else { return nil }
                    return isFirst.withLockedValue { isFirst in
                        defer { isFirst = false }
                        return isFirst ? .init(status) : nil
                    }
                }
            }
            let traces = try traces(try await fixture.ask("/traces", query: "tags=rollout_id:r"))
            #expect(traces.count == 60 && Set(traces.compactMap { $0.text("id") }).count == 60)
            #expect(traces.compactMap { $0.objects("scores")?.count }.reduce(0, +) == 1)
        }
    }
}

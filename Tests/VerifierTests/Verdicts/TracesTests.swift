import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Verifier

/// What `/traces` gives out.
@Suite(.timeLimit(.minutes(5))) struct TracesTests {
    private func names(_ sink: CollectingSink) throws -> [String] {
        let traces = try #require(sink.json?.objects("traces"), "\(sink.status ?? 0) \(sink.text.prefix(300))")
        #expect(sink.json?.count("total_traces") == traces.count && sink.status == 200)
        return traces.compactMap { $0.text("id") }
    }

    @Test(arguments: [
        ("v2", "4.0.0", TraceIdentity.traceID), ("v1", "3.1.0", .traceID), ("v2", "4.0.0", .tag), ("v1", "3.1.0", .tag),
    ])
    func `all traces of a complete rollout each once`(
        _ api: String, _ version: String, _ identity: TraceIdentity
    ) async throws {
        let store = FakeLangfuse(apis: [api], version: version)
        try await VerifierFixture.run(store: store, identity: identity) { fixture in
            let ids = try await fixture.complete(610)
            // Duplicates, and rows of others.
            store.show(ids.prefix(50).map { FakeSpan($0) }, copies: 2)
            store.show([FakeSpan(fixture.ids.next())])
            let answer = try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000")
            let names = try names(answer)
            #expect(names.count == 610 && Set(names) == Set(ids.map(\.hex)))
            let trace = try #require(answer.json?.objects("traces")?.first)
            #expect(
                trace.nested("input")?.objects("messages")?.count == 1 && trace.nested("output")?.text("content") == "4"
            )
            #expect(
                trace.objects("observations")?.first?.text("type") == "GENERATION"
                    && trace.texts("tags")?.first == "rollout_id:r")
            #expect(answer.json?.text("project_id") == "local")
        }
    }

    /// One completion is shown as soon as the store has it; `/traces` still waits for its rollout.
    @Test(arguments: [("v2", "4.0.0", TraceIdentity.traceID), ("v1", "3.1.0", .traceID), ("v2", "4.0.0", .tag)])
    func `a completion is shown before its rollout is complete`(
        _ api: String, _ version: String, _ identity: TraceIdentity
    ) async throws {
        let store = FakeLangfuse(apis: [api], version: version)
        try await VerifierFixture.run(store: store, identity: identity) { fixture in
            let (done, running) = (fixture.ids.next(), fixture.ids.next())
            try await fixture.begin([done, running])
            try await fixture.finish(done)
            store.show([FakeSpan(done)], copies: 2)
            store.show([FakeSpan(fixture.ids.next())])
            let whole = try await fixture.ask("/traces/pointwise", query: "tags=rollout_id:r&max_retries=0")
            #expect(whole.status == 404)
            let answer = try await fixture.ask(
                "/traces/completion", query: "tags=rollout_id:r&insertion_id=\(done)&fields=io")
            let trace = try #require(answer.json?.objects("traces")?.first, "\(answer.text)")
            #expect(answer.status == 200 && answer.json?.count("total_traces") == 1)
            #expect(trace.nested("output")?.text("content") == "4" && trace.text("id") == done.hex)
            let other = try await fixture.ask("/traces/completion", query: "tags=rollout_id:r&insertion_id=\(running)")
            #expect(other.status == 200 && other.json?.count("total_traces") == 0)
            let wrong = try await fixture.ask("/traces/completion", query: "tags=rollout_id:r&insertion_id=x")
            #expect(wrong.status == 400 && wrong.text.contains("insertion_id"))
        }
    }

    /// A page does not hang with its store, and says what no retry mends.
    @Test func `a completion's trace is asked for within its time and once`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let id = fixture.ids.next()
            let query = "tags=rollout_id:r&insertion_id=\(id)&fields=io"
            #expect(try await fixture.ask("/traces/completion", query: query).status == 200)
            let times = store.state.withLockedValue { $0.totals.dropFirst() }
            #expect(times.count == 1 && times.allSatisfy { $0 <= .seconds(10) }, "\(times)")
            for (status, code) in [(401, "trace_store_refused"), (503, "trace_store_unavailable")] {
                store.fault.withLockedValue { $0 = { _ in .init(status) } }
                let answer = try await fixture.ask("/traces/completion", query: query)
                #expect(answer.status == 502 && answer.json?.nested("error")?.text("code") == code, "\(answer.text)")
            }
        }
    }

    /// The second API cuts the values of metadata that the query does not name.
    @Test(arguments: [("v2", "4.0.0"), ("v1", "3.1.0")]) func `metadata is whole`(
        _ api: String, _ version: String
    ) async throws {
        try await VerifierFixture.run(store: FakeLangfuse(apis: [api], version: version)) { fixture in
            let ids = try await fixture.complete(120)
            let long = String(repeating: "é", count: 700)
            for (index, id) in ids.enumerated() {
                var span = FakeSpan(id)
                span.metadata =
                    index % 2 == 0
                    ? ["even": long, "short": "s"] : ["odd, ": String(repeating: "o", count: 300), "even": "2"]
                fixture.store.show([span])
            }
            let traces = try #require(
                try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000").json?.objects("traces"))
            #expect(
                traces.count == 120
                    && traces.compactMap { $0.nested("metadata")?.text("even") }.count { $0 == long } == 60)
            let odd = traces.compactMap { $0.nested("metadata")?.text("odd, ") }
            // No query can name it, and no part of it is shown.
            #expect(odd.count == (api == "v2" ? 0 : 60) && odd.allSatisfy { $0.count == 300 })
            #expect(
                traces.compactMap { trace in
                    let metadata = trace.nested("metadata")
                    return metadata?.nested("attributes")
                        ?? metadata?.text("attributes").flatMap { LangfuseJSON(Array($0.utf8)) }
                }.count == 120)
            #expect(
                fixture.store.targets.count { $0.contains("expandMetadata=attributes%2Ceven") } >= (api == "v2" ? 1 : 0)
            )
        }
    }

    /// What a rollout cost and how its answers ended, whichever server keeps it; of old spans a server without
    /// attributes cannot tell how they ended.
    @Test(arguments: [("v2", true), ("v2", false), ("v1", true), ("v1", false)])
    func `model usage and finish reason are members`(_ api: String, _ hasAttributes: Bool) async throws {
        let store = FakeLangfuse(apis: [api], version: api == "v2" ? "4.16.0" : "3.110.0", hasAttributes: hasAttributes)
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(2)
            var old = FakeSpan(ids[0])
            (old.isOld, old.finishReasons) = (true, ["length", "stop"])
            store.show([old])
            let traces = try #require(
                try await fixture.ask("/traces", query: "tags=rollout_id:r").json?.objects("traces"))
            for (id, reasons) in zip(ids, [hasAttributes ? ["length", "stop"] : [], ["stop"]]) {
                let trace = try #require(traces.first { $0.text("id") == id.hex })
                let step = try #require(trace.objects("observations")?.first)
                for part in [trace, step] {
                    #expect(part.text("model") == "m1" && part.nested("usage")?.count("total_tokens") == 9)
                    #expect(part.text("finish_reason") == reasons.first && part.texts("finish_reasons") == reasons)
                }
            }
            let chosen = try await fixture.ask("/traces", query: "tags=rollout_id:r&fields=model,usage,finish_reason")
                .json?.objects("traces")
            #expect(
                chosen?.map(\.names)
                    == Array(repeating: ["id", "model", "usage", "finish_reason", "finish_reasons"], count: 2))
            #expect(chosen?.compactMap { $0.text("finish_reason") }.contains("stop") == true)
        }
    }

    @Test func `names of metadata are asked for within a bound`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(1)
            var span = FakeSpan(ids[0])
            span.metadata = Dictionary(
                uniqueKeysWithValues: (100..<200).map { ("name \($0)", String(repeating: "x", count: 201)) })
            fixture.store.show([span])
            let trace = try #require(
                try await fixture.ask("/traces", query: "tags=rollout_id:r").json?.objects("traces")?.first?.nested(
                    "metadata"))
            // `name%20100,` and `attributes,` take eleven bytes. What has no room is left out.
            #expect(trace.names.count { trace.text($0)?.count == 201 } == TraceFetch.mostNameBytes / 11 - 1)
            #expect(!trace.names.contains { trace.text($0)?.count == 200 })
        }
    }

    /// A proxy on the way bounds the request line; a store may be too slow for many at once. Fewer ids are asked for
    /// then, and each trace comes once.
    @Test(arguments: [(414, 2000), (431, 2000), (422, 3000)]) func `a question that is too long is cut`(
        status: Int, longest: Int
    ) async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(400)
            fixture.store.fault.withLockedValue {
                $0 = { target in
                    target.utf8.count > longest ? .init(status, body: #"{"error":"Request timed out"}"#) : nil
                }
            }
            let names = try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000"))
            #expect(names == ids.reversed().map(\.hex))
        }
    }

    @Test func `limit and sample bound what is given not what is checked`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(30)
            let newest = try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=5"))
            #expect(newest == ids.suffix(5).reversed().map(\.hex))
            let sample = try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=20&sample_size=3"))
            #expect(sample.count == 3 && Set(sample).isSubset(of: ids.suffix(20).map(\.hex)))
            let pointwise = try names(try await fixture.ask("/traces/pointwise", query: "tags=rollout_id:r&limit=5"))
            #expect(pointwise == [ids[29].hex])
            #expect(
                try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())?
                    .traced == 30)
            // The default.
            _ = try await fixture.complete(80)
            #expect(try names(try await fixture.ask("/traces", query: "tags=rollout_id:r")).count == 100)
        }
    }

    @Test func `filters choose among the traces`() async throws {
        try await VerifierFixture.run { fixture in
            let ids = try await fixture.complete(300)
            for (index, id) in ids.enumerated() {
                var span = FakeSpan(id, tags: ["row_id:\(index % 10)"])
                span.sessionID = index < 150 ? "early" : "late"
                fixture.store.show([span])
            }
            let rows = try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&tags=row_id:3&limit=1000"))
            #expect(rows == stride(from: 293, through: 3, by: -10).map { ids[$0].hex })
            let both = try names(
                try await fixture.ask("/traces", query: "tags=rollout_id:r&tags=row_id:3&session_id=early&limit=2"))
            #expect(both == [ids[143].hex, ids[133].hex])
            #expect(try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&user_id=nobody")).isEmpty)
            let time = ids[100].time.iso8601
            let early = try names(
                try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000&to_timestamp=\(time)"))
            #expect(Set(early) == Set(ids.filter { $0.milliseconds < ids[100].milliseconds }.map(\.hex)))
        }
    }

    @Test func `an incomplete rollout is a 404 with its counts`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(2)
            let lost = fixture.ids.next()
            try await fixture.begin([lost])
            try await fixture.finish(lost)
            let start = fixture.time.now
            let answer = try await fixture.ask("/traces", query: "tags=rollout_id:r&max_retries=2")
            #expect(answer.status == 404 && answer.json?.nested("error")?.text("code") == "rollout_incomplete")
            let verdict = try #require(answer.json?.nested("verdict"))
            #expect(
                verdict.count("expected") == 3 && verdict.count("traced") == 2
                    && verdict.texts("missing") == [lost.description])
            #expect(answer.json?.text("detail")?.contains(lost.description) == true)
            // 1 s, then 2 s.
            #expect(fixture.time.now == start + 3000)
            fixture.store.show([FakeSpan(lost)])
            fixture.time.advance(.seconds(1))
            #expect(try names(try await fixture.ask("/traces", query: "tags=rollout_id:r")).count == 3)
        }
    }

    @Test func `a rollout of failures has no traces`() async throws {
        try await VerifierFixture.run { fixture in
            let id = fixture.ids.next()
            try await fixture.begin([id])
            try await fixture.fail(id)
            let answer = try await fixture.ask("/traces", query: "tags=rollout_id:r")
            #expect(answer.status == 404 && answer.json?.nested("error")?.text("code") == "rollout_without_traces")
        }
    }

    /// StatusPages stay below what Langfuse Cloud sends, and an answer that is too large all the same is asked for in
    /// smaller ones.
    @Test func `pages fit their rows`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(120)
            for id in ids {
                var span = FakeSpan(id)
                span.output = #"{"content":"\#(String(repeating: "x", count: 30_000))"}"#
                store.show([span])
            }
            store.fault.withLockedValue {
                $0 = { target in
                    guard target.contains("io"),
                        let limit = target.utf8.split(separator: UInt8(ascii: "&")).first(where: {
                            $0.starts(with: "limit=".utf8)
                        }),
                        (Int(Substring(limit).dropFirst(6)) ?? 0) > 40
                    else { return nil }
                    return .init(422, body: #"{"message":"too large","error":"PayloadTooLargeError"}"#)
                }
            }
            #expect(try names(try await fixture.ask("/traces", query: "tags=rollout_id:r&limit=1000")).count == 120)
            #expect(store.largest < 4_500_000)
        }
    }

    /// A promised trace that cannot be read breaks the answer off; it never makes the number wrong.
    @Test func `a trace that vanished breaks the answer off`() async throws {
        let store = FakeLangfuse()
        try await VerifierFixture.run(store: store) { fixture in
            let ids = try await fixture.complete(300)
            _ = try await fixture.verifier().verify(Rollout("r", project: "local"), patience: fixture.patience())
            store.state.withLockedValue { state in
                state.spans.removeValue(forKey: FakeSpan(ids[10]).key)
                state.order = []
            }
            let sink = CollectingSink()
            let question = Question(
                project: "local", path: "/traces", query: "tags=rollout_id:r&limit=1000",
                deadline: fixture.time.now + 300_000)
            await #expect(throws: GatewayError.self) { try await fixture.verifier().answer(question, to: sink) }
            #expect(sink.json == nil && sink.status == 200)
        }
    }

    @Test func `a large answer goes in pieces`() async throws {
        try await VerifierFixture.run { fixture in
            _ = try await fixture.complete(2000)
            let sink = CollectingSink(keeps: false)
            let question = Question(
                project: "local", path: "/traces", query: "tags=rollout_id:r&limit=100000",
                deadline: fixture.time.now + 300_000)
            try await fixture.verifier().answer(question, to: sink)
            #expect(sink.pieces.count > 10 && sink.pieces.allSatisfy { $0 < VerificationRunner.pieceSize + 2000 })
        }
    }
}

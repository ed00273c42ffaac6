import Common
import Compression
import FoundationEssentials
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TraceStore

/// What an exporter sends and what becomes of it.
@Suite(.timeLimit(.minutes(5)))
struct ExportTests {
    @Test func `what was written is read`() async throws {
        try await LiveStore.run { store in
            let span = SampleSpan(
                7, tags: ["rollout_id:R", "row_id:a,b"],
                [
                    ("langfuse.observation.type", "generation"), ("langfuse.trace.name", "litellm-acompletion"),
                    ("session.id", "R"),
                    ("langfuse.observation.input", #"[{"role": "user",  "content": "é\"\n"}]"#),
                    ("langfuse.observation.output", "plain text"),
                    ("langfuse.observation.model.name", "m1"),
                    ("langfuse.observation.usage_details", #"{"input":5,"output":1,"total":6}"#),
                    ("langfuse.observation.completion_start_time", "2026-11-22T12:00:07.250Z"), ("other", "kept"),
                ])
            #expect(try await store.export([span]).text == "{}")
            let page = try await store.observations(
                "fields=core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context&traceId=\(SampleSpan.traceID(7))"
            )
            let row = try #require(page.rows.first)
            #expect(page.rows.count == 1 && page.cursor == nil)
            let expected = [
                "id": "8e9f0a1b00000007", "traceId": SampleSpan.traceID(7), "startTime": "2026-11-22T12:00:07.000Z",
                "endTime": "2026-11-22T12:00:08.500Z", "projectId": "main", "type": "GENERATION",
                "name": "litellm_request", "level": "DEFAULT",
                "environment": "default", "sessionId": "R", "input": #"[{"role": "user",  "content": "é\"\n"}]"#,
                "output": "plain text",
                "providedModelName": "m1", "traceName": "litellm-acompletion",
                "completionStartTime": "2026-11-22T12:00:07.250Z",
                "createdAt": "2026-11-22T12:00:00.000Z",
            ]
            for (name, value) in expected { #expect(row.text(name) == value, "\(name)") }
            let parts = [
                "parentObservationId": "null", "isRootObservation": "true", "bookmarked": "false", "public": "false",
                "userId": "null",
                "usageDetails": #"{"input":5,"output":1,"total":6}"#, "tags": #"["rollout_id:R","row_id:a,b"]"#,
                "latency": "1.5",
                "timeToFirstToken": "0.25", "modelId": "null", "inputPrice": "null", "promptName": "null",
            ]
            for (name, value) in parts { #expect(row.json(name) == value, "\(name)") }
            #expect(row.json("metadata")?.contains(#"\"other\":\"kept\""#) == true)
        }
    }

    @Test func `a project sees its own alone`() async throws {
        try await LiveStore.run { store in
            try await store.export([SampleSpan(1, tags: ["t"])])
            try await store.export([SampleSpan(1, tags: ["t"]), SampleSpan(2, tags: ["t"])], project: "other")
            #expect(try await store.observations(filter(tags("any of", "t"))).numbers == [1])
            #expect(try await store.observations(filter(tags("any of", "t")), project: "other").numbers == [2, 1])
            #expect(try await store.traces("tags=t").numbers == [1])
            #expect(try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(2))").status == 404)
            #expect(try await store.count().contains(#""1""#))
        }
    }

    @Test func `a span that is sent again is one row the newest`() async throws {
        try await LiveStore.run { store in
            try await store.export([SampleSpan(1, tags: ["old", "both"], [("langfuse.observation.output", "first")])])
            store.clock.withLockedValue { $0 += 60_000 }
            try await store.export([SampleSpan(1, tags: ["both", "new"], [("langfuse.observation.output", "second")])])
            // Another start is another row, as in Langfuse.
            try await store.export([SampleSpan(1, tags: ["both"], second: 2)])
            let page = try await store.observations("fields=io,time,trace_context&" + filter(tags("any of", "new")))
            #expect(page.texts("output") == ["second"] && page.rows[0].json("tags") == #"["both","new"]"#)
            #expect(
                page.texts("createdAt") == ["2026-11-22T12:00:00.000Z"]
                    && page.texts("updatedAt") == ["2026-11-22T12:01:00.000Z"])
            #expect(try await store.observations(filter(tags("any of", "old"))).rows.isEmpty)
            #expect(try await store.observations().rows.count == 2)
            #expect(try await store.traces().rows.count == 1)
        }
    }

    @Test(arguments: [
        (#""traceId":"0198c1f2a4b57c3d8e9f0a1b00000002""#, #""traceId":"0198""#),
        (#""spanId":"8e9f0a1b00000002""#, #""spanId":"0000000000000000""#),
        (#""spanId":"8e9f0a1b00000002""#, #""spanId":"8e9f0a1b0000000g""#), (#""spanId":"8e9f0a1b00000002","#, ""),
        (#""spanId":"8e9f0a1b00000002","#, #""spanId":"8e9f0a1b00000002","parentSpanId":"x","#),
    ])
    func `one bad span costs one span`(good: String, bad: String) async throws {
        try await LiveStore.run { store in
            let broken = SampleSpan.export([SampleSpan(1), SampleSpan(2)]).replacing(good, with: bad)
            let answer = try await store.call(
                "POST", "/api/public/otel/v1/traces", headers: ["Content-Type: application/json"],
                body: Array(broken.utf8))
            #expect(answer.status == 200 && answer.text.contains(#""rejectedSpans":"1""#))
            #expect(answer.text.contains("Invalid span 2 of 2"))
            #expect(try await store.observations().rows.count == 1)
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":{"a":1}}]}]}]}"#])
    func `what is no export is refused`(body: String) async throws {
        try await LiveStore.run { store in
            let answer = try await store.call(
                "POST", "/api/public/otel/v1/traces", headers: ["Content-Type: application/json"],
                body: Array(body.utf8))
            #expect(
                answer.status == 400
                    && answer.text.contains(body.hasSuffix("]}") ? "Invalid span 1 of 1" : "Invalid OTLP export"))
        }
    }

    @Test func `a foreign content type or version is refused`() async throws {
        try await LiveStore.run { store in
            let body = Array(SampleSpan.export([SampleSpan(1)]).utf8)
            let path = "/api/public/otel/v1/traces"
            let text = try await store.call("POST", path, headers: ["Content-Type: text/plain"], body: body)
            #expect(text.status == 400 && text.text == #"{"error":"Invalid content type"}"#)
            for version in ["5", "x"] {
                let headers = ["Content-Type: application/json", "x-langfuse-ingestion-version: \(version)"]
                #expect(try await store.call("POST", path, headers: headers, body: body).status == 400)
            }
            #expect(try await store.call("GET", path).status == 405)
        }
    }

    @Test func `gzip is taken and a bomb is not`() async throws {
        var plan = LiveStore.Plan()
        plan.limits.exportBytes = 64 << 10
        try await LiveStore.run(plan) { store in
            let headers = ["Content-Type: application/json", "Content-Encoding: gzip"]
            func send(_ body: [UInt8]) async throws -> Int {
                try await store.call("POST", "/api/public/otel/v1/traces", headers: headers, body: body).status
            }
            let export = Array(SampleSpan.export([SampleSpan(1)]).utf8)
            let small = try packed(export)
            #expect(try await send(small) == 200)
            #expect(try await store.observations().numbers == [1])
            #expect(try await send(Array(small.prefix(30) + small.suffix(8))) == 400)
            #expect(try await send(small + [0]) == 400)
            #expect(try await send(export) == 400)
            let bomb = try packed(Array(repeating: 0x20, count: 10 << 20))
            #expect(bomb.count < 64 << 10)
            #expect(try await send(bomb) == 413)
            let plain = ["Content-Type: application/json"]
            let large = Array(repeating: UInt8(0x20), count: (64 << 10) + 1)
            #expect(
                try await store.call("POST", "/api/public/otel/v1/traces", headers: plain, body: large).status == 413)
        }
    }

    @Test func `each coding is undone and others are refused`() async throws {
        let export = Array(SampleSpan.export([SampleSpan(1, tags: ["t"])]).utf8)
        let once = try packed(export)
        try await LiveStore.run { store in
            func send(_ label: String, _ body: [UInt8]) async throws -> HTTPAnswer {
                try await store.call(
                    "POST", "/api/public/otel/v1/traces",
                    headers: ["Content-Type: application/json", "Content-Encoding: \(label)"], body: body)
            }
            for (label, body) in [
                ("GZIP", once), ("x-gzip", once), ("identity", export), ("gzip, gzip", try packed(once)),
                ("gzip", once),
            ] {
                let answer = try await send(label, body)
                #expect(answer.status == 200, "\(label): \(answer.text)")
            }
            for (label, body) in [("deflate", Compressed.zlib), ("deflate", Compressed.raw)] {
                let answer = try await send(label, body)
                #expect(answer.status != 415 && !answer.text.contains("Content-Encoding"), "\(label): \(answer.text)")
            }
            let foreign = try await send("br", Compressed.brotli)
            #expect(foreign.status == 415 && foreign["accept-encoding"]?.hasPrefix("gzip, deflate") ?? false)
            for bad in [Array(once.dropLast()), once + [0], export] {
                let answer = try await send("gzip", bad)
                #expect(answer.status == 400 && answer.text.contains("`gzip`"), "\(answer.text)")
            }
        }
    }

    @Test func `what is held at once is bounded and given back`() throws {
        let budget = ExportBudget(limit: 10)
        do {
            let first = budget.share()
            try first.take(6)
            let second = budget.share()
            try second.take(4)
            do throws(LangfuseError) {
                try second.take(1)
                Issue.record("there was no room")
            } catch {
                #expect(error.status == 429 && error.headers.first(named: "Retry-After") == "1")
            }
        }
        let third = budget.share()
        try third.take(10)
    }

    /// Gzip says at its end how much it becomes; one that becomes more is not believed.
    @Test func `gzip that becomes more than it says is refused`() throws {
        var body = try packed(Array(repeating: 0x20, count: 1000))
        body.replaceSubrange(body.count - 4..<body.count, with: [10, 0, 0, 0])
        let export = Export(form: .json, body: CompressedBody(codings: [.gzip], limit: 1 << 20))
        do throws(LangfuseError) {
            _ = try export.content(body, in: ExportBudget(limit: 1 << 20).share())
            Issue.record("it was taken")
        } catch {
            #expect(error.status == 400 && String(decoding: error.body, as: UTF8.self).contains("gzip"))
        }
    }

    @Test func `keys are asked for`() async throws {
        try await LiveStore.run { store in
            let path = "/api/public/v2/observations"
            func answer(_ authorization: String?) async throws -> HTTPAnswer {
                try await store.call(
                    "GET", path, project: nil, headers: authorization.map { ["Authorization: \($0)"] } ?? [])
            }
            #expect(try await answer(nil).text == #"{"message":"No authorization header"}"#)
            let refused = #"{"message":"Invalid credentials. Confirm that you've configured the correct host."}"#
            for wrong in ["pk-lf-main:sk-lf-other", "pk-lf-other:sk-lf-main", "pk-lf-main:", "x"] {
                let given = try await answer("Basic " + Data(wrong.utf8).base64EncodedString())
                #expect(given.status == 401 && given.text == refused)
            }
            #expect(try await answer("Basic ???").status == 401)
            #expect(try await answer("Bearer pk-lf-main").status == 403)
            #expect(try await answer(LiveStore.authorization("main")).status == 200)
            #expect(
                try await store.call("GET", "/api/public/health", project: nil).text
                    == #"{"status":"OK","version":"4.16.0"}"#)
        }
    }

    @Test func `a head beyond nodes bound is refused`() async throws {
        try await LiveStore.run { store in
            let answer = try await store.call(
                "GET", "/api/public/v2/observations?name=" + String(repeating: "x", count: 20 << 10))
            #expect(answer.status == 431 || answer.status == 400)
        }
    }

    @Test func `rows outlive a restart`() async throws {
        try await withTemporaryFolder { folder in
            var plan = LiveStore.Plan()
            plan.folder = folder
            try await LiveStore.run(plan) { _ = try await $0.export((0..<5).map { SampleSpan($0, tags: ["t"]) }) }
            let found = try await LiveStore.run(plan) { store in
                try await [store.observations(filter(tags("any of", "t"))).numbers, store.traces().numbers]
            }
            #expect(found == [[4, 3, 2, 1, 0], [4, 3, 2, 1, 0]])
        }
    }
}

private func packed(_ bytes: [UInt8]) throws -> [UInt8] { try #require(Gzip.compress(bytes)) }

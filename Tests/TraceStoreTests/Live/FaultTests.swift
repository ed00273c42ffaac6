import Common
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import TraceStore

/// What a test can have go wrong, and that it then does.
@Suite(.timeLimit(.minutes(5)))
struct FaultTests {
    @Test func `rows are seen late`() async throws {
        try await LiveStore.run { store in
            store.faults.change { $0.visibilityDelay = .seconds(5) }
            try await store.export([SampleSpan(1, tags: ["t"])])
            store.faults.change { $0.visibilityDelay = .zero }
            try await store.export([SampleSpan(2, tags: ["t"])])
            #expect(try await store.observations(filter(tags("any of", "t"))).numbers == [2])
            #expect(try await store.traces().numbers == [2])
            #expect(try await store.count().contains(#""1""#))
            #expect(try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(1))").status == 404)
            store.clock.withLockedValue { $0 += 5000 }
            #expect(try await store.observations(filter(tags("any of", "t"))).numbers == [2, 1])
            #expect(try await store.traces().numbers == [2, 1])
        }
    }

    @Test func `requests are refused as often as is asked`() async throws {
        try await LiveStore.run { store in
            store.faults.change { faults in
                faults.refusals = [
                    .init(429, on: [.observations], retryAfter: 7, times: 2), .init(422, on: [.observations], times: 1),
                    .init(503, on: [.export]),
                ]
            }
            var statuses: [Int] = []
            for _ in 0..<4 {
                let answer = try await store.call("GET", "/api/public/v2/observations")
                statuses.append(answer.status)
                guard answer.status == 429 else { continue }
                #expect(answer["retry-after"] == "7" && answer["x-ratelimit-remaining"] == "0")
                #expect(answer.text.contains(#""code":"rate_limited","details":{"retryAfterSeconds":7,"#))
            }
            #expect(statuses == [429, 429, 422, 200])
            for _ in 0..<3 { #expect(try await store.export([SampleSpan(1)]).status == 503) }
            store.faults.change { $0.refusals = [] }
            #expect(try await store.export([SampleSpan(1)]).status == 200)
            #expect(try await store.observations().numbers == [1])
        }
    }

    @Test func `spans are lost after they were accepted`() async throws {
        try await LiveStore.run { store in
            store.faults.change { $0.loses = { $0.hasSuffix("1") } }
            #expect(try await store.export((1...3).map { SampleSpan($0) }).status == 200)
            #expect(try await store.observations().numbers == [3, 2])
            store.faults.change { $0.loses = nil }
            try await store.export([SampleSpan(1)])
            #expect(try await store.observations().numbers == [3, 2, 1])
        }
    }

    @Test func `rows are shown twice`() async throws {
        try await LiveStore.run { store in
            try await store.export((1...3).map { SampleSpan($0) })
            store.faults.change { $0.duplicates = true }
            let page = try await store.observations("limit=4")
            #expect(page.numbers == [3, 3, 2, 2])
            let rest = try await store.observations(
                "limit=4&cursor=" + PercentEncoding.segment(try #require(page.cursor)))
            #expect(rest.numbers == [1, 1] && rest.cursor == nil)
            #expect(try await store.count().contains(#""6""#))
            #expect(try await store.traces().numbers == [3, 2, 1])
        }
    }

    @Test func `an older server has no new routes and a newer no old ones`() async throws {
        try await LiveStore.run { store in
            try await store.export([SampleSpan(1)])
            let older = ["/api/public/traces", "/api/public/traces/\(SampleSpan.traceID(1))"]
            func answers(_ path: String) async throws -> HTTPAnswer { try await store.call("GET", path) }
            store.faults.change { $0.mode = .v3Only }
            let missing = try await answers("/api/public/v2/observations")
            #expect(
                missing.status == 404 && missing.text.contains("only available in a Langfuse v4 write mode")
                    && missing.text.contains("LangfuseNotFoundError"))
            for path in older { #expect(try await answers(path).status == 200) }
            store.faults.change { $0.mode = .v4Only }
            for path in older {
                let answer = try await answers(path)
                #expect(answer.status == 404 && answer.text.contains("events_only mode"))
            }
            #expect(try await answers("/api/public/v2/observations").status == 200)
        }
    }
}

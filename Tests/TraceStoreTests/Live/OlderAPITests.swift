import Common
import JSON
import TestSupport
import Testing

@testable import TraceStore

/// The older API's observations and sessions, which SDKs of version 3 ask for.
@Suite(.timeLimit(.minutes(5)))
struct OlderAPITests {
    /// Traces 0 to 5, one a second, in two sessions; each has a child, which is in no session.
    private static let spans: [SampleSpan] = (0..<6).flatMap { number in
        let root = SampleSpan(
            number, tags: ["n\(number)"],
            [
                ("session.id", "session \(number % 2)"), ("langfuse.environment", "e\(number % 2)"),
                ("langfuse.observation.type", "generation"), ("langfuse.observation.input", #"{"a":[1]}"#),
                ("langfuse.observation.usage_details", #"{"input":2,"output":3}"#),
            ])
        var child = SampleSpan(number, second: number + 60)
        (child.parent, child.spanID, child.name) = (root.id, "00000000000000c\(number)", "child")
        return [root, child]
    }

    private static func run<Result: Sendable>(_ body: (LiveStore) async throws -> Result) async throws -> Result {
        try await LiveStore.run { store in
            try await store.export(spans)
            return try await body(store)
        }
    }

    @Test(arguments: [
        ("limit=3", [5, 4, 3], 12), ("limit=5&page=2", [0, 5, 4, 3, 2], 12), ("limit=100&page=2", [], 12),
        ("type=GENERATION&limit=2", [5, 4], 6), ("name=child&page=3&limit=2", [1, 0], 6),
        ("parentObservationId=\(SampleSpan(2).id)", [2], 1), ("environment=e1", [5, 3, 1], 3),
        ("traceId=\(SampleSpan.traceID(4))", [4, 4], 2),
        ("fromStartTime=2026-11-22T12:00:02Z&toStartTime=2026-11-22T12:00:04Z", [3, 2], 2),
    ])
    func `observations are chosen`(query: String, expected: [Int], total: Int) async throws {
        try await Self.run { store in
            let page = try await store.scores(query, path: "observations")
            #expect(page.numbers == expected && page.meta.json("totalItems") == "\(total)")
        }
    }

    @Test func `an observation is whole`() async throws {
        try await Self.run { store in
            let list = try await store.scores("type=GENERATION&limit=1", path: "observations")
            let answer = try await store.call("GET", "/api/public/observations/\(SampleSpan(5).id)")
            let one = try JSONObject.scan(answer.body, maximumDepth: 16)
            for row in [one, try #require(list.rows.first)] {
                #expect(row.text("id") == SampleSpan(5).id && row.json("input") == #"{"a":[1]}"#)
                #expect(row.json("usage") == #"{"unit":"TOKENS","input":2,"output":3,"total":5}"#)
            }
            for (id, project) in [("none", "main"), (SampleSpan(5).id, "other")] {
                let missing = try await store.call("GET", "/api/public/observations/\(id)", project: project)
                #expect(missing.status == 404 && missing.text.contains("Observation not found"))
            }
        }
    }

    @Test(arguments: [
        ("", ["session 1", "session 0"], 2), ("limit=1&page=2", ["session 0"], 2), ("environment=e0", ["session 0"], 1),
        ("fromTimestamp=2026-11-22T12:00:01Z", ["session 1"], 1), ("toTimestamp=2026-11-22T12:00:00Z", [], 0),
    ])
    func `sessions are listed`(query: String, expected: [String], total: Int) async throws {
        try await Self.run { store in
            let page = try await store.scores(query, path: "sessions")
            #expect(page.texts("id") == expected && page.meta.json("totalItems") == "\(total)")
            guard query.isEmpty else { return }
            #expect(page.texts("createdAt") == ["2026-11-22T12:00:01.000Z", "2026-11-22T12:00:00.000Z"])
            #expect(page.texts("environment") == ["e1", "e0"] && page.texts("projectId") == ["main", "main"])
            #expect(try await store.scores(path: "sessions", project: "other").rows.isEmpty)
        }
    }

    @Test func `a session shows its traces`() async throws {
        try await Self.run { store in
            let answer = try await store.call("GET", "/api/public/sessions/session%201")
            let session = try JSONObject.scan(answer.body, maximumDepth: 16)
            let traces = try #require(session.member("traces").flatMap { session.elements($0) }).map {
                try JSONObject.scan(session.bytes, range: $0.value, maximumDepth: 16)
            }
            #expect(traces.map { $0.text("id") } == [5, 3, 1].map { SampleSpan.traceID($0) })
            #expect(traces.allSatisfy { $0.json("input") == #"{"a":[1]}"# && $0.member("observations") == nil })
            for (id, project) in [("none", "main"), ("session%201", "other")] {
                let missing = try await store.call("GET", "/api/public/sessions/\(id)", project: project)
                #expect(missing.status == 404 && missing.text.contains("Session not found"))
            }
        }
    }

    @Test(arguments: ["observations?limit=101", "observations?page=x", "sessions?limit=0", "sessions?fromTimestamp=x"])
    func `bad queries are told so`(query: String) async throws {
        try await LiveStore.run { store in
            let answer = try await store.call("GET", "/api/public/\(query)")
            #expect(answer.status == 400 && answer.text.hasPrefix(#"{"message":""#))
        }
    }
}

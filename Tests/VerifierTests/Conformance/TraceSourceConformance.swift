import Testing

@testable import Common
@testable import Verifier

/// What any trace store must do for the verifier, whichever API it speaks. A store is tried by an extension of this
/// protocol's own tests: `check` runs all.
struct TraceSourceConformance {
    let source: any TraceSource
    let identity: TraceIdentity
    /// Makes spans visible, all at once.
    let export: @Sendable ([FakeSpan]) async throws -> Void
    /// Gives a completion's trace scores of these values, each a JSON value, the newest first: the first one is the
    /// trace's, the others those of its observation `o`.
    let give: @Sendable (InsertionID, _ values: [String]) async throws -> Void

    static let count = 320

    /// Distinct rollouts, so that one store serves all checks.
    func check() async throws {
        try await listsByThePage()
        try await keepsToTheWindow()
        try await looksUpManyAtOnce()
        try await tellsHeads()
        try await tellsBodies()
        try await tellsGenerations()
        try await tellsScores()
        try await knowsNothingOfOthers()
    }

    private func spans(_ rollout: String, _ count: Int = count, at time: Int64) async throws -> [InsertionID] {
        let ids = InsertionID.samples(count, at: time, step: 10)
        try await export(ids.map { FakeSpan($0, rollout: rollout) })
        return ids
    }

    private func window(_ ids: [InsertionID]) -> TimeWindow { TimeWindow(of: ids, margin: .zero) }

    /// All pages of an answer.
    private func rows(_ query: StoreQuery, limit: Int) async throws -> [FetchedTrace] {
        var rows: [FetchedTrace] = []
        var cursor: TraceCursor?
        repeat {
            let page = try await source.page(query, after: cursor, limit: limit)
            #expect(page.rows.count <= limit)
            rows += page.rows
            cursor = page.next
        } while cursor != nil
        return rows
    }

    private func listsByThePage() async throws {
        let ids = try await spans("listed, with a comma", at: 1_763_000_000_000)
        for limit in [1000, 100, 37] {
            let rows = try await rows(StoreQuery(.rollout("listed, with a comma"), window: window(ids)), limit: limit)
            #expect(Set(rows.flatMap(\.ids)) == Set(ids) && rows.count == ids.count, "limit \(limit)")
        }
    }

    private func keepsToTheWindow() async throws {
        let ids = try await spans("windowed", 10, at: 1_763_100_000_000)
        let part = Array(ids[3...6])
        let rows = try await rows(StoreQuery(.rollout("windowed"), window: window(part)), limit: 100)
        #expect(Set(rows.flatMap(\.ids)) == Set(part))
    }

    private func looksUpManyAtOnce() async throws {
        let ids = try await spans("looked up", at: 1_763_200_000_000)
        let asked = Array(ids.prefix(identity.mostIDs - 1)) + [InsertionID.sample(9999, at: 1_763_200_000_000)]
        let rows = try await rows(StoreQuery(.ids(asked), window: window(asked)), limit: 1000)
        #expect(Set(rows.flatMap(\.ids)) == Set(asked.dropLast()))
    }

    private func tellsHeads() async throws {
        let ids = InsertionID.samples(1, at: 1_763_300_000_000)
        var span = FakeSpan(ids[0], rollout: "heads", tags: ["row_id:a,b", "é\"\\"])
        (span.userID, span.sessionID) = ("u", "s")
        if identity == .tag { span.traceID = "7a" + String(repeating: "b", count: 30) }
        try await export([span])
        let row = try #require(
            try await rows(StoreQuery(.ids(ids), window: window(ids), detail: .head), limit: 10).first)
        #expect(row.ids == ids && row.head.traceID == span.traceID && Set(row.head.tags) == Set(span.tags))
        #expect(row.head.userID == "u" && row.head.sessionID == "s" && row.head.name == span.name)
        #expect(row.head.timestamp.flatMap(TimeText.milliseconds) == span.start)
        #expect(row.body == nil)
    }

    private func tellsBodies() async throws {
        let ids = try await spans("bodies", 45, at: 1_763_400_000_000)
        for observations in [true, false] {
            let query = StoreQuery(.ids(ids), window: window(ids), detail: .body, observations: observations)
            let rows = try await rows(query, limit: 20)
            #expect(Set(rows.flatMap(\.ids)) == Set(ids))
            for row in rows {
                let body = try #require(row.body)
                #expect(
                    String(decoding: body.input, as: UTF8.self) == #"{"messages":[{"role":"user","content":"Hé?"}]}"#)
                #expect(String(decoding: body.output, as: UTF8.self) == #"{"role":"assistant","content":"4"}"#)
                guard observations else { continue }
                let observation = try #require(body.observations.first)
                #expect(
                    body.observations.count == 1 && observation.output == body.output
                        && observation.id != LangfuseJSON.null)
                #expect(String(decoding: observation.type, as: UTF8.self) == #""GENERATION""#)
            }
        }
    }

    /// Model, usage and finish reasons, also of spans of the version that had them in the attributes alone. No value of
    /// metadata is a stump.
    private func tellsGenerations() async throws {
        let ids = InsertionID.samples(6, at: 1_763_450_000_000, step: 10)
        let spans = ids.enumerated().map { index, id in
            var span = FakeSpan(id, rollout: "generations")
            span.isOld = index % 2 == 1
            span.finishReasons = [["stop"], ["length", "tool_calls, \"é"], []][index / 2]
            span.metadata = ["long": String(repeating: "x", count: 300)]
            if index == 4 { (span.model, span.usage) = (nil, "{}") }
            return span
        }
        try await export(spans)
        var query = StoreQuery(.ids(ids), window: window(ids), detail: .body, observations: true)
        for whole: Set<UTF8Text> in [["attributes"], ["attributes", "long"]] {
            query.wholeMetadata = whole
            let rows = try await rows(query, limit: 20)
            #expect(rows.count == 6)
            for (index, span) in spans.enumerated() {
                let body = try #require(rows.first { $0.ids == [ids[index]] }?.body)
                let step = try #require(body.generation)
                #expect(
                    step.finishReasons == span.finishReasons && body.finishReasons == span.finishReasons, "\(index)")
                #expect(step.model == span.model)
                let usage =
                    index == 4
                    ? "null"
                    : #"{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":5}}"#
                #expect(String(decoding: step.usage, as: UTF8.self) == usage)
                let long = LangfuseJSON(body.metadata)?.text("long")
                #expect(long == span.metadata["long"] || long == nil && !whole.contains("long"))
            }
        }
    }

    private func tellsScores() async throws {
        let ids = try await spans("scored", 25, at: 1_763_470_000_000)
        try await give(ids[2], ["0.5", #""good""#, "1"])
        try await give(ids[20], (0..<130).map { "\($0)" })
        for detail in [StoreQuery.Detail.head, .body] {
            var query = StoreQuery(.ids(ids), window: window(ids), detail: detail)
            query.scores = true
            let rows = try await rows(query, limit: 50)
            #expect(Set(rows.flatMap(\.ids)) == Set(ids))
            for row in rows {
                let scores = try #require(row.scores)
                func texts(_ member: KeyPath<TraceScore, [UInt8]>) -> [String] {
                    scores.map { String(decoding: $0[keyPath: member], as: UTF8.self) }
                }
                switch row.ids {
                case [ids[2]]:
                    #expect(texts(\.value) == ["0.5", #""good""#, "1"])
                    #expect(texts(\.dataType) == [#""NUMERIC""#, #""CATEGORICAL""#, #""NUMERIC""#])
                    #expect(texts(\.observationID) == ["null", #""o""#, #""o""#])
                    #expect(texts(\.name) == [#""n0""#, #""n1""#, #""n2""#] && texts(\.comment).first == #""c""#)
                    #expect(texts(\.metadata).first == #"{"m":1}"# && texts(\.source).first == #""API""#)
                case [ids[20]]: #expect(texts(\.value) == (0..<130).map { "\($0)" })
                default: #expect(scores.isEmpty)
                }
            }
            query.scores = false
            #expect(try await self.rows(query, limit: 50).allSatisfy { $0.scores == nil })
        }
    }

    private func knowsNothingOfOthers() async throws {
        let ids = InsertionID.samples(2, at: 1_763_500_000_000)
        #expect(try await rows(StoreQuery(.rollout("nobody's"), window: window(ids)), limit: 10).isEmpty)
        #expect(try await rows(StoreQuery(.ids(ids), window: window(ids)), limit: 10).isEmpty)
    }
}

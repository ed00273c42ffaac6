import JSON
import TestSupport
import Testing

@testable import TraceStore

/// An event or a score that cannot be read costs itself alone.
@Suite(.timeLimit(.minutes(5)))
struct PartialBatchTests {
    private static let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)

    /// Scores that are not JSON, or none that the store takes.
    private static let bad: [[UInt8]] = [
        Array(SampleScore.of("b", value: "NaN").utf8), Array(SampleScore.of("b", value: "-Infinity").utf8),
        Array(SampleScore.of("b", value: "1", more: #""metadata":\#(deep)"#).utf8),
        Array(SampleScore.of("b", value: "1", more: #""id":"c""#).utf8),
        SampleScore.of("b", value: "1", more: #""comment":"?""#).utf8.map { $0 == UInt8(ascii: "?") ? 0xFF : $0 },
        Array(SampleScore.of("b", value: "1", more: #""comment":"\q""#).utf8),
    ]

    private static let time = #""type":"score-create","timestamp":"2026-11-22T12:00:00Z""#

    private static func event(_ id: String, _ body: [UInt8]) -> [UInt8] {
        Array(#"{"id":"\#(id)",\#(time),"body":"#.utf8) + body + Array("}".utf8)
    }

    private func post(_ path: String, _ body: [UInt8], to store: LiveStore) async throws -> HTTPAnswer {
        try await store.call("POST", path, headers: ["Content-Type: application/json"], body: body)
    }

    @Test func `an event that cannot be read costs itself`() async throws {
        for (place, bad) in Self.bad.enumerated() {
            try await LiveStore.run { store in
                let events = Self.event("1", bad) + Array(",".utf8) + Self.event("2", Array(SampleScore.all[0].utf8))
                let body = Array(#"{"batch":["#.utf8) + events + Array(#"],"metadata":{"sdk_name":"test"}}"#.utf8)
                let answer = try await post("/api/public/ingestion", body, to: store)
                #expect(answer.status == 207, "\(place): \(answer.text)")
                let told = try JSONObject.scan(answer.body, maximumDepth: 8)
                #expect(told.json("successes") == #"[{"id":"2","status":201}]"#, "\(place)")
                #expect(told.json("errors")?.hasPrefix(#"[{"id":"1","status":400,"#) == true, "\(place)")
                #expect(try await store.scores().texts("id") == ["number"])
            }
        }
    }

    @Test func `a score of a list that cannot be read costs itself`() async throws {
        for (place, bad) in Self.bad.enumerated() {
            try await LiveStore.run { store in
                let body = Array("[".utf8) + bad + Array(",".utf8) + Array(SampleScore.all[0].utf8) + Array("]".utf8)
                let answer = try await post("/api/public/scores", body, to: store)
                #expect(answer.status == 207, "\(place): \(answer.text)")
                let told = try JSONObject.scan(answer.body, maximumDepth: 8)
                #expect(told.json("accepted") == "1" && told.json("rejected") == "1", "\(place)")
                #expect(try await store.scores().texts("id") == ["number"])
            }
        }
    }

    @Test(arguments: [
        #"{"batch":[SCORE}"#, #"{"batch":[SCORE]"#, #"{"batch":[SCORE],"batch":[]}"#, #"{batch:[SCORE]}"#,
        #"{"batch":{}}"#, "[SCORE]",
    ])
    func `a batch whose structure cannot be read is refused`(body: String) async throws {
        try await LiveStore.run { store in
            let event = String(decoding: Self.event("1", Array(SampleScore.all[0].utf8)), as: UTF8.self)
            let answer = try await post(
                "/api/public/ingestion", Array(body.replacing("SCORE", with: event).utf8), to: store)
            #expect(answer.status == 400 && answer.text.contains("batch"))
            #expect(try await store.scores().rows.isEmpty)
        }
    }
}

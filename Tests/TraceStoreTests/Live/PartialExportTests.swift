import TestSupport
import Testing

@testable import TraceStore

/// What cannot be read of an export in JSON costs its own spans, and the answer counts them.
@Suite(.timeLimit(.minutes(5)))
struct PartialExportTests {
    private static let good = SampleSpan(1).json

    /// A span with this in place of its name and attributes.
    private static func span(_ members: String) -> [UInt8] {
        Array(#"{"traceId":"\#(SampleSpan.traceID(2))","spanId":"8e9f0a1b00000002",\#(members)}"#.utf8)
    }

    private static func attribute(_ value: String) -> [UInt8] {
        span(#""attributes":[{"key":"k","value":\#(value)}]"#)
    }

    private static let deep =
        String(repeating: #"{"arrayValue":{"values":["#, count: 60) + String(repeating: "]}}", count: 60)

    private static let bad: [[UInt8]] = [
        attribute(deep), attribute(#"{"doubleValue":NaN}"#), span(#""name":"a","name":"b""#),
        span(#""attributes":[{"key":"k","key":"k","value":{}}]"#),
        span(#""name":"?""#).map { $0 == UInt8(ascii: "?") ? 0xFF : $0 },
        span(#""name":"a" "kind":3"#), span(#""name":tru"#), span(#""name":"\x""#), span("name:1"), Array("null".utf8),
        Array(#""x""#.utf8), Array("7".utf8), Array("[]".utf8),
    ]

    private func post(_ spans: [UInt8], to store: LiveStore) async throws -> HTTPAnswer {
        try await store.call(
            "POST", "/api/public/otel/v1/traces", headers: ["Content-Type: application/json"], body: spans)
    }

    @Test func `a span that cannot be read costs itself`() async throws {
        for (place, bad) in Self.bad.enumerated() {
            try await LiveStore.run { store in
                let list = Array(Self.good.utf8) + Array(",".utf8) + bad
                let body =
                    Array(#"{"resourceSpans":[{"scopeSpans":[{"spans":["#.utf8) + list + Array("]}]}]}".utf8)
                let answer = try await post(body, to: store)
                #expect(answer.status == 200, "\(place): \(answer.text)")
                #expect(answer.text.contains(#""rejectedSpans":"1""#), "\(place): \(answer.text)")
                #expect(answer.text.contains("Invalid span 2 of 2"), "\(place): \(answer.text)")
                #expect(try await store.observations().numbers == [1])
            }
        }
    }

    @Test(arguments: [
        (#"{"resource":{"attributes":{}},"scopeSpans":[{"spans":[{},{}]}]}"#, 2),
        (#"{"resource":{"attributes":[{"key":"a","key":"b"}]},"scopeSpans":[{"spans":[{},{}]}]}"#, 2),
        (#"{"resource":{"x":NaN},"scopeSpans":[{"spans":[{}]},{"spans":[{}]}]}"#, 2),
        (#"{"resource":{},"resource":{},"scopeSpans":[{"spans":[{}]}]}"#, 1),
        (#"{"resource":7,"scopeSpans":[{"spans":[{}]}]}"#, 1),
        (#"{"scopeSpans":[{"scope":{"name":"a","name":"b"},"spans":[{},{}]}]}"#, 2),
        (#"{"scopeSpans":[{"scope":{"attributes":7},"spans":[{}]}]}"#, 1),
        (#"{"scopeSpans":[{"spans":[{}],"spans":[{}]}]}"#, 2), (#"{"scopeSpans":[{"spans":{}}]}"#, 1),
        (#"{"scopeSpans":[null]}"#, 1), ("null", 1), ("5", 1),
    ])
    func `a bad resource or scope costs its own spans`(bad: String, count: Int) async throws {
        try await LiveStore.run { store in
            let good = #"{"resource":null,"scopeSpans":[{"scope":null,"spans":[\#(Self.good)]}]}"#
            for list in ["\(bad),\(good)", "\(good),\(bad)"] {
                let answer = try await post(Array(#"{"resourceSpans":[\#(list)]}"#.utf8), to: store)
                #expect(answer.status == 200 && answer.text.contains(#""rejectedSpans":"\#(count)""#), "\(answer.text)")
                #expect(try await store.observations().numbers == [1])
            }
        }
    }

    @Test(arguments: [
        #"{"resourceSpans":[{"scopeSpans":[{"spans":[SPAN]}]}"#,
        #"{"resourceSpans":[{"scopeSpans":[{"spans":[SPAN}]}]}"#,
        #"{"resourceSpans":[{"scopeSpans":[{"spans":[SPAN]}]}]}}"#, #"{"resourceSpans":[],"resourceSpans":[SPAN]}"#,
        #"{resourceSpans:[{"scopeSpans":[{"spans":[SPAN]}]}]}"#, #"[{"scopeSpans":[{"spans":[SPAN]}]}]"#,
        #"{"resourceSpans":[{"scopeSpans":[{"spans":[SPAN]}]}],"a":"}"#,
    ])
    func `an export whose structure cannot be read is refused`(body: String) async throws {
        try await LiveStore.run { store in
            let answer = try await post(Array(body.replacing("SPAN", with: Self.good).utf8), to: store)
            #expect(answer.status == 400 && answer.text.contains("Invalid OTLP export"), "\(answer.text)")
            #expect(try await store.observations().rows.isEmpty)
        }
    }
}

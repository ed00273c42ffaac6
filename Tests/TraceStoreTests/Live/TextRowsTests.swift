import Common
import TestSupport
import Testing

@testable import TraceStore

/// What the store keeps of texts is their bytes, and marks keep nobody waiting.
@Suite struct TextRowsTests {
    private static let pairs: [(String, String)] = [
        ("caf\u{E9}", "cafe\u{301}"), ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{AC00}", "\u{1100}\u{1161}"),
        ("\u{212B}", "\u{C5}"),
        ("\u{301}x", "\u{340}x"),
    ]

    @Test(arguments: pairs) func `what looks alike is two`(one: String, other: String) async throws {
        try await LiveStore.run { store in
            _ = try await store.export([
                SampleSpan(
                    1, tags: [one],
                    [(one, "1"), (other, "2"), ("langfuse.trace.metadata.\(one)", "a"), ("user.id", one)]),
                SampleSpan(2, tags: [other], [("user.id", other)]), SampleSpan(3, tags: [one, other]),
            ])
            for (tag, count) in [(one, 2), (other, 2)] {
                #expect(try await store.observations(filter(tags("any of", tag))).rows.count == count)
                #expect(
                    try await store.observations(
                        filter(tags("any of", tag), tags("any of", one), tags("any of", other))
                    ).rows.count == 1)
                #expect(try await store.traces("tags=\(PercentEncoding.segment(tag))").rows.count == count)
                #expect(try await store.observations("userId=\(PercentEncoding.segment(tag))").rows.count == 1)
            }
            #expect(
                try await store.traces("tags=\(PercentEncoding.segment(one))&tags=\(PercentEncoding.segment(other))")
                    .rows.count == 1)
        }
    }

    private static let marks = String(repeating: "\u{323}\u{301}", count: 1 << 16)

    private static let places: [(name: String, span: @Sendable (Int) -> SampleSpan)] = [
        ("a key", { SampleSpan($0, [(marks, "1"), (marks + "a", "2")]) }),
        ("tags", { SampleSpan($0, tags: [marks, marks + "a"]) }),
        ("a tag as text", { SampleSpan($0, [("langfuse.tags", marks)]) }),
        ("the type", { SampleSpan($0, [("langfuse.observation.type", marks)]) }),
        ("a kind", { SampleSpan($0, [("openinference.span.kind", marks)]) }),
        ("an operation", { SampleSpan($0, [("gen_ai.operation.name", marks)]) }),
        ("the environment", { SampleSpan($0, [("langfuse.environment", marks)]) }),
        (
            "repeated words",
            { SampleSpan($0, [("langfuse.environment", String(repeating: "langfuse", count: 1 << 17))]) }
        ),
        ("the level", { SampleSpan($0, [("langfuse.observation.level", marks)]) }),
        ("a user", { SampleSpan($0, [("user.id", marks)]) }),
        ("metadata", { SampleSpan($0, [("langfuse.trace.metadata", #"{"\#(marks)":1,"\#(marks)a":2}"#)]) }),
        ("metadata's name", { SampleSpan($0, [("langfuse.trace.metadata.\(marks)", "1")]) }),
        ("input", { SampleSpan($0, [("langfuse.observation.input", marks), ("langfuse.trace.input", marks + "a")]) }),
        ("usage", { SampleSpan($0, [("langfuse.observation.usage_details", #"{"\#(marks)":1,"\#(marks)a":2}"#)]) }),
        ("a time", { SampleSpan($0, [("langfuse.observation.completion_start_time", marks)]) }),
        (
            "a number",
            { SampleSpan($0, [("gen_ai.usage.cost", marks), ("langfuse.observation.prompt.version", marks)]) }
        ),
    ]

    /// Each would take more than 25 seconds if it normalised the marks, and it takes half of one. The same span
    /// comes twice, as one that is sent again.
    @Test func `marks take no time`() async throws {
        try await LiveStore.run { store in
            for (index, place) in Self.places.enumerated() {
                let time = try await ContinuousClock().measure {
                    for _ in 0..<2 {
                        #expect(try await store.export([place.span(index)]).status < 500, "\(place.name)")
                    }
                    _ = try await store.observations("fields=core,basic,io,metadata,trace_context&limit=1")
                }
                #expect(time < .seconds(20), "\(place.name): \(time)")
            }
            let short = PercentEncoding.segment(String(Self.marks.prefix(1500)))
            for query in [
                "filter=\(short)", "\(short)=1&\(short)b=1", "fields=\(short)", "expandMetadata=\(short),\(short)b",
                "cursor=\(short)",
            ] {
                let answer = try await store.call("GET", "/api/public/v2/observations?\(query)")
                #expect(answer.status < 500)
            }
        }
    }
}

import Common
import GRDB
import JSON
import TestSupport
import Testing

@testable import TraceStore

/// Text with U+0000 in it is kept, found and shown whole: SQLite takes C strings, which end there, where it is not told
/// a length.
@Suite(.timeLimit(.minutes(5)))
struct WholeTextTests {
    /// Texts that C cuts short, each at another place.
    private static let texts = [
        "a\0b", "\0", "\0a", "a\0", "a\0\0b\0", "é\0\u{1F600}\0", String(repeating: "x\0", count: 5000),
    ]
    private static let fields = "fields=core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"

    /// Each attribute that becomes a column, with the member of a row that shows it.
    private static let columns: [(attribute: String, member: String)] = [
        ("langfuse.observation.input", "input"), ("langfuse.observation.output", "output"),
        ("langfuse.trace.name", "traceName"),
        ("session.id", "sessionId"), ("user.id", "userId"), ("langfuse.version", "version"),
        ("langfuse.release", "release"),
        ("langfuse.observation.status_message", "statusMessage"),
        ("langfuse.observation.model.name", "providedModelName"),
        ("langfuse.observation.prompt.name", "promptName"), ("gen_ai.tool.name", "name"),
    ]

    @Test(arguments: texts)
    func `every column keeps it`(text: String) async throws {
        try await LiveStore.run { store in
            let attributes = Self.columns.map { (name: $0.attribute, value: $0.member + text) }
            let span = SampleSpan(
                1, tags: ["tag" + text, "tag"], attributes + [("langfuse.observation.metadata.key", "value" + text)])
            // Twice: the second time the row is replaced.
            for _ in 0..<2 { #expect(try await store.export([span]).status == 200) }
            let row = try #require(try await store.observations("\(Self.fields)&expandMetadata=key").rows.first)
            for (_, member) in Self.columns { #expect(row.text(member) == member + text, "\(member)") }
            #expect(row.member("tags").flatMap(row.strings) == ["tag" + text, "tag"])
            #expect(try row.member("metadata").flatMap { try row.object($0) }?.text("key") == "value" + text)
            let trace = try #require(try await store.traces("fields=core,io,metadata").rows.first)
            for (name, member) in [
                ("name", "traceName"), ("sessionId", "sessionId"), ("userId", "userId"), ("version", "version"),
                ("input", "input"),
            ] {
                #expect(trace.text(name) == member + text, "\(name)")
            }
            #expect(trace.member("tags").flatMap(trace.strings) == ["tag" + text, "tag"])
            let whole = try JSONObject.scan(
                try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(1))").body, maximumDepth: 64)
            #expect(whole.text("output") == "output" + text && whole.text("release") == "release" + text)
        }
    }

    /// What a filter on text with a NUL finds: rows 0 to 3 have `a`, `a␀b`, `a␀c` and `b␀a` for their session, their
    /// input and the metadata `k␀`.
    @Test(arguments: [
        (#"{"type":"string","column":"sessionId","operator":"=","value":"a\u0000b"}"#, [1]),
        (#"{"type":"string","column":"sessionId","operator":"=","value":"a"}"#, [0]),
        (
            #"{"type":"stringOptions","column":"sessionId","operator":"any of","value":["a\u0000b","a\u0000c"]}"#,
            [2, 1]
        ),
        (#"{"type":"stringOptions","column":"sessionId","operator":"none of","value":["a\u0000b"]}"#, [3, 2, 0]),
        (#"{"type":"string","column":"input","operator":"contains","value":"\u0000c"}"#, [2]),
        (#"{"type":"string","column":"input","operator":"contains","value":"c"}"#, [2]),
        (#"{"type":"string","column":"input","operator":"does not contain","value":"\u0000"}"#, [0]),
        (#"{"type":"string","column":"input","operator":"starts with","value":"a\u0000"}"#, [2, 1]),
        (#"{"type":"string","column":"input","operator":"starts with","value":""}"#, [3, 2, 1, 0]),
        (#"{"type":"string","column":"input","operator":"ends with","value":"\u0000a"}"#, [3]),
        (#"{"type":"string","column":"input","operator":"ends with","value":"a"}"#, [3, 0]),
        (#"{"type":"string","column":"input","operator":"ends with","value":""}"#, [3, 2, 1, 0]),
        (#"{"type":"stringObject","column":"metadata","key":"k\u0000","operator":"=","value":"a\u0000b"}"#, [1]),
        (#"{"type":"stringObject","column":"metadata","key":"k\u0000","operator":"=","value":"a"}"#, [0]),
        (#"{"type":"stringObject","column":"metadata","key":"k","operator":"=","value":"a"}"#, []),
        (#"{"type":"stringObject","column":"metadata","key":"k\u0000","operator":"ends with","value":"\u0000c"}"#, [2]),
        (#"{"type":"numberObject","column":"metadata","key":"n\u0000\\","operator":">","value":2}"#, [3]),
        (#"{"type":"arrayOptions","column":"tags","operator":"any of","value":["t\u0000a\u0000b"]}"#, [1]),
        (#"{"type":"arrayOptions","column":"tags","operator":"any of","value":["t"]}"#, []),
    ])
    func `filters compare all of it`(condition: String, expected: [Int]) async throws {
        try await LiveStore.run { store in
            let spans = ["a", "a\0b", "a\0c", "b\0a"].enumerated().map { number, text in
                let metadata = #"{"n\u0000\\":\#(number)}"#
                return SampleSpan(
                    number, tags: ["t\0\(text)"],
                    [
                        ("session.id", text), ("langfuse.observation.input", text),
                        ("langfuse.observation.metadata.k\\u0000", text),
                        ("langfuse.observation.metadata", metadata),
                    ])
            }
            try await store.export(spans)
            #expect(try await store.observations(filter(condition)).numbers == expected)
        }
    }

    @Test func `simple parameters compare all of it`() async throws {
        try await LiveStore.run { store in
            try await store.export(
                ["a", "a\0b"].enumerated().map {
                    SampleSpan($0, tags: ["t\0\($1)"], [("session.id", $1), ("user.id", $1)])
                })
            #expect(try await store.observations("sessionId=a%00b").numbers == [1])
            #expect(try await store.observations("userId=a").numbers == [0])
            #expect(try await store.traces("sessionId=a%00b").numbers == [1])
            #expect(try await store.traces("tags=t%00a").numbers == [0])
            #expect(try await store.traces("orderBy=sessionId.desc").numbers == [1, 0])
        }
    }

    @Test func `protobuf is kept like JSON`() async throws {
        let export = ProtobufWriter.message { export in
            export.message(1) { resource in
                resource.message(2) { scope in
                    scope.message(2) { span in
                        span.field(1, Array(repeating: 0xAB, count: 16))
                        span.field(2, Array(repeating: 0x0F, count: 8))
                        span.text(5, "na\0me")
                        span.fixed64(7, SampleSpan.start.milliseconds * 1_000_000)
                        span.attribute(9, key: "langfuse.observation.input", value: "a\0b")
                        span.attribute(9, key: "other\0key", value: "c\0d")
                        span.message(15) { $0.text(2, "bro\0ken") }
                    }
                }
            }
        }
        try await LiveStore.run { store in
            let answer = try await store.call(
                "POST", "/api/public/otel/v1/traces", headers: ["Content-Type: application/x-protobuf"], body: export)
            #expect(answer.status == 200)
            let row = try #require(try await store.observations("\(Self.fields)&expandMetadata=attributes").rows.first)
            #expect(
                row.text("name") == "na\0me" && row.text("input") == "a\0b" && row.text("statusMessage") == "bro\0ken")
            let attributes = try row.member("metadata").flatMap { try row.object($0) }?.text("attributes").flatMap(
                EmbeddedJSON.scan)
            #expect(attributes?.text("other\0key") == "c\0d")
        }
    }

    /// It is text in the file, not bytes, so that other programs find it too.
    @Test func `it is text in the file`() async throws {
        try await withTemporaryFolder { folder in
            var plan = LiveStore.Plan()
            plan.folder = folder
            try await LiveStore.run(plan) {
                _ = try await $0.export([SampleSpan(1, [("langfuse.observation.input", "a\0b")])])
            }
            let file = try DatabaseQueue(path: "\(folder)/traces.sqlite")
            let found = try file.read { db in
                try Row.fetchOne(db, sql: "SELECT typeof(input), length(CAST(input AS BLOB)), hex(input) FROM content")
            }
            #expect(found == ["typeof(input)": "text", "length(CAST(input AS BLOB))": 3, "hex(input)": "610062"])
        }
    }
}

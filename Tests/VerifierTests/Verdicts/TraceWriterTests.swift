import Common
import Testing

@testable import Verifier

@Suite struct TraceWriterTests {
    private func row(input: String = #"{"messages":[]}"#) -> FetchedTrace {
        var head = TraceHead()
        (head.traceID, head.name, head.sessionID, head.tags, head.timestamp) = (
            "t1", "n\"", "s", ["a", "b,c"], "2026-01-01T00:00:00.000Z"
        )
        let observation = TraceBody.Observation(
            id: Array(#""o""#.utf8), type: Array(#""GENERATION""#.utf8), name: Array("null".utf8),
            startTime: Array(#""x""#.utf8),
            endTime: Array("null".utf8), input: Array(input.utf8), output: Array("7".utf8),
            parentID: Array("null".utf8),
            model: "m", usage: Array(#"{"total_tokens":3}"#.utf8), finishReasons: ["stop", "length"])
        var row = FetchedTrace(
            ids: [], head: head,
            body: TraceBody(
                input: Array(input.utf8), output: Array("7".utf8), metadata: Array("{}".utf8),
                observations: [observation]))
        let (text, null) = (Array(#""s""#.utf8), Array("null".utf8))
        row.scores = [
            TraceScore(
                id: text, name: text, value: Array("0.5".utf8), dataType: text, source: text, comment: null,
                metadata: Array("{}".utf8), configID: null, observationID: null, timestamp: text)
        ]
        return row
    }

    private func text(_ members: TraceMembers, _ rows: [FetchedTrace]) -> String {
        var writer = TraceWriter(members: members)
        var out = writer.head(project: "p", total: rows.count)
        for row in rows { writer.append(row, to: &out) }
        return String(decoding: out + writer.tail, as: UTF8.self)
    }

    @Test func `the shape is the references`() {
        let trace =
            #"{"id":"t1","name":"n\"","user_id":null,"session_id":"s","tags":["a","b,c"],"timestamp":"2026-01-01T00:00:00.000Z","input":{"messages":[]},"#
            + #""output":7,"metadata":{},"model":"m","usage":{"total_tokens":3},"finish_reason":"stop","finish_reasons":["stop","length"],"#
            + #""observations":[{"id":"o","type":"GENERATION","name":null,"start_time":"x","end_time":null,"#
            + #""input":{"messages":[]},"output":7,"parent_observation_id":null,"#
            + #""model":"m","usage":{"total_tokens":3},"finish_reason":"stop","finish_reasons":["stop","length"]}],"#
            + #""scores":[{"id":"s","name":"s","value":0.5,"data_type":"s","source":"s","comment":null,"metadata":{},"#
            + #""config_id":null,"observation_id":null,"timestamp":"s"}]}"#
        #expect(text(.all, [row(), row()]) == #"{"project_id":"p","total_traces":2,"traces":[\#(trace),\#(trace)]}"#)
    }

    @Test func `members are chosen`() {
        #expect(
            text([.tags, .output], [row()])
                == #"{"project_id":"p","total_traces":1,"traces":[{"id":"t1","tags":["a","b,c"],"output":7}]}"#)
        #expect(
            text([.model, .usage], [row()])
                == #"{"project_id":"p","total_traces":1,"traces":[{"id":"t1","model":"m","usage":{"total_tokens":3}}]}"#
        )
        #expect(!text(TraceMembers.all.subtracting([.input, .output, .observations]), [row()]).contains("messages"))
    }

    @Test func `what a trace lacks is null or empty`() {
        var head = TraceHead()
        head.traceID = "t2"
        #expect(
            text(.all, [FetchedTrace(ids: [], head: head)])
                == #"{"project_id":"p","total_traces":1,"traces":[{"id":"t2","name":null,"user_id":null,"session_id":null,"tags":[],"timestamp":null,"#
                + #""input":null,"output":null,"metadata":null,"model":null,"usage":null,"finish_reason":null,"finish_reasons":[],"#
                + #""observations":[],"scores":null}]}"#)
    }

    @Test func `no traces are still an answer`() {
        #expect(text(.all, []) == #"{"project_id":"p","total_traces":0,"traces":[]}"#)
    }

    /// Inputs and outputs come as strings from the second API; what is JSON in them becomes JSON again.
    @Test(arguments: [
        (#"{"x":"{\"a\":[1,2]}"}"#, #"{"a":[1,2]}"#), (#"{"x":"[\"é\"]"}"#, #"["é"]"#),
        (#"{"x":"hello"}"#, #""hello""#),
        (#"{"x":"{broken"}"#, #""{broken""#),
        (#"{"x":""}"#, #""""#), (#"{"x":{"a":1}}"#, #"{"a":1}"#), (#"{"x":null}"#, "null"), (#"{}"#, "null"),
        (#"{"x":"\ud800"}"#, #""\ud800""#),
        (#"{"x":"{\"n\":1.10e2}"}"#, #"{"n":1.10e2}"#),
    ])
    func `strings that are JSON become JSON`(_ document: String, _ value: String) throws {
        let json = try #require(LangfuseJSON(Array(document.utf8)))
        #expect(String(decoding: json.unwrapped("x"), as: UTF8.self) == value)
    }

    @Test func `a page is as large as its rows allow`() {
        var size = PageSize()
        #expect(size.rows == 50)
        size.learn(rows: 50, bytes: 50 * 8000)
        #expect(size.rows == 450)
        size.learn(rows: 450, bytes: 450 * 100)
        #expect(size.rows == 1000)
        size.learn(rows: 1, bytes: 20_000_000)
        #expect(size.rows == 1)
        var size2 = PageSize(rows: 3)
        #expect(size2.halve() && size2.rows == 1 && !size2.halve())
        size2.learn(rows: 1, bytes: 100)
        #expect(size2.rows == 1, "larger pages were refused")
        size.learn(rows: 0, bytes: 2)
        #expect(size.rows == 1)
    }
}

import Common
import JSON
import TestSupport

@testable import TraceStore

extension LiveStore {
    /// Sends a JSON body by POST.
    func post(_ path: String, _ json: String, project: String = "main") async throws -> HTTPAnswer {
        try await call(
            "POST", path, project: project, headers: ["Content-Type: application/json"], body: Array(json.utf8))
    }

    /// Sends scores as one batch of events, as SDKs do up to version 4.
    @discardableResult
    func ingest(_ scores: [String], project: String = "main") async throws -> HTTPAnswer {
        let events = scores.enumerated().map { index, score in
            let time = (SampleSpan.start + index * 1000).iso8601
            return #"{"id":"event \#(index)","type":"score-create","timestamp":"\#(time)","body":\#(score)}"#
        }
        return try await post(
            "/api/public/ingestion", #"{"batch":[\#(events.joined(separator: ","))],"metadata":{"sdk_name":"test"}}"#,
            project: project)
    }

    /// A page of the second API, or of another that has pages by number.
    func scores(_ query: String = "", path: String = "v2/scores", project: String = "main") async throws -> StoredPage {
        try StoredPage(try await call("GET", "/api/public/\(path)?\(query)", project: project))
    }
}

/// The JSON of scores of a test.
enum SampleScore {
    /// One of each kind of data, by their ids.
    static let all = [
        of("number", value: "0.5", target: trace(1), more: #""comment":"half","metadata":{"by":"judge"}"#),
        of("category", value: #""good""#, target: trace(1) + #","observationId":"8e9f0a1b00000001""#),
        of("truth", value: "1", target: trace(2), more: #""dataType":"BOOLEAN","environment":"Production""#),
        of("text", value: #""an essay""#, target: #""sessionId":"s""#, more: #""dataType":"TEXT""#),
        of("corrected", value: #""better""#, target: trace(1), more: #""dataType":"CORRECTION""#),
        of("run", value: "2", target: #""datasetRunId":"r","configId":"c","queueId":"q","metadata":[1]"#),
    ]

    static func of(_ id: String, value: String, target: String = trace(1), more: String? = nil) -> String {
        let rest = more.map { "," + $0 } ?? ""
        return #"{"id":"\#(id)","name":"name of \#(id)","value":\#(value),\#(target)\#(rest)}"#
    }

    static func trace(_ number: Int) -> String { #""traceId":"\#(SampleSpan.traceID(number))""# }
}

import Common
import Foundation
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// A span as a reader has it.
struct ReadSpan {
    let object: [String: Any]
    let attempts: [[String: Any]]
    private let attributes: [String: [String: Any]]
    let keys: [String]

    /// - Parameter span: as the forwarder keeps it, in either form.
    init(_ span: [UInt8]) throws {
        let bytes = span.first == SpanRecord.form ? try SpanRecord(span).otlp : span
        // The span stands before those of its attempts.
        let spans = try #require(
            try JSONSerialization.jsonObject(with: Data("[".utf8 + bytes + "]".utf8)) as? [[String: Any]])
        object = try #require(spans.first)
        attempts = Array(spans.dropFirst())
        let list = try #require(object["attributes"] as? [[String: Any]])
        keys = list.compactMap { $0["key"] as? String }
        #expect(Set(keys).count == list.count, "no attribute twice")
        attributes = Dictionary(
            list.compactMap { entry in
                (entry["key"] as? String).flatMap { key in (entry["value"] as? [String: Any]).map { (key, $0) } }
            },
            uniquingKeysWith: { first, _ in first })
    }

    func string(_ key: String) -> String? { attributes[key]?["stringValue"] as? String }
    func integer(_ key: String) -> String? { attributes[key]?["intValue"] as? String }
    func double(_ key: String) -> Double? { attributes[key]?["doubleValue"] as? Double }

    func strings(_ key: String) -> [String]? {
        ((attributes[key]?["arrayValue"] as? [String: Any])?["values"] as? [[String: Any]])?.compactMap {
            $0["stringValue"] as? String
        }
    }

    var input: String? { string("langfuse.observation.input") }
    var output: String? { string("langfuse.observation.output") }
    var message: String? { string("langfuse.observation.status_message") }
    var level: String? { string("langfuse.observation.level") }
    var status: [String: Any] { object["status"] as? [String: Any] ?? [:] }
    var statusCode: Int? { status["code"] as? Int }
}

enum SpanSample {
    static let rollout = RolloutIDs(rollout: "R", invocation: "I", experiment: "E", run: "U", row: "a,b")
    /// 2025-08-29T07:27:41.184Z.
    static let start: Timestamp = 0x0198_f3a0_0000

    static func job(_ body: String, headers: [HeaderField] = [], key: String? = nil) throws -> Job {
        var job = try Job.chat("openai/gpt-x", body: body, headers: headers, key: key, rollout: rollout, project: "p1")
        job.account = "alice"
        job.metadata.set("team", to: "red", from: .header)
        return job
    }

    /// Such a span as a trace store gets it, as text.
    static func bytes(
        body: String, status: Int = 200, answer: String, headers: [HeaderField] = [], key: String? = nil
    ) throws -> String {
        let job = try job(body, headers: headers, key: key)
        let span = try #require(CompletionSpan(job))
        span.recordHead(UpstreamHead(status: status))
        span.take(Array(answer.utf8), at: start)
        return String(decoding: try SpanRecord(span.answered(at: start)).otlp, as: UTF8.self)
    }

    /// A span of a call that was sent as the body is, and answered so.
    static func span(
        body: String = #"{"model":"openai/gpt-x","messages":[]}"#, status: Int = 200, type: String = "application/json",
        answer: [[UInt8]],
        headers: [HeaderField] = [], requestHeaders: [HeaderField] = [], key: String? = nil,
        times: [Timestamp] = [start + 70],
        textBytes: Int = SpanLimits.spanText
    ) throws -> ReadSpan {
        let job = try job(body, headers: headers, key: key)
        let span = try #require(CompletionSpan(job, textBytes: textBytes))
        let request = UpstreamRequest(
            method: "POST", url: "https://provider.example", headers: requestHeaders, body: job.body)
        span.recordRequest(Target(provider: "openai", model: "gpt-x", request: request))
        span.recordHead(UpstreamHead(status: status, headers: [HeaderField("Content-Type", type)]))
        var check = (200..<300).contains(status) ? CompletionCheck() : nil
        for (index, piece) in answer.enumerated() {
            span.take(piece, at: times[min(index, times.count - 1)])
            check?.take(piece)
        }
        return try ReadSpan(span.answered(check?.end(), at: start + 1500))
    }

    static func span(body: String = #"{"model":"openai/gpt-x","messages":[]}"#, answer: String) throws -> ReadSpan {
        try span(body: body, answer: [Array(answer.utf8)])
    }
}

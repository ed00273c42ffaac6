import Common
import JSON

@testable import Verifier

/// One completion's trace, as an exporter sends it.
struct FakeSpan: Sendable {
    var traceID: String
    /// Milliseconds since 1970.
    var start: Int64
    var tags: [String]
    var name = "litellm-acompletion"
    var userID: String?
    var sessionID: String?
    var environment = "default"
    var version = "1"
    var release = "r1"
    var input = #"{"messages":[{"role":"user","content":"Hé?"}]}"#
    var output = #"{"role":"assistant","content":"4"}"#
    var metadata = ["a": "b"]
    var model: String? = "m1"
    /// Langfuse's `usageDetails`.
    var usage = #"{"input":3,"output":1,"total":9,"input_cached_tokens":5}"#
    var finishReasons = ["stop"]
    /// Whether the finish reasons stand in the attributes alone, as in spans of the gateway's version 0.1.0.
    var isOld = false
    var spanID: String

    /// A span of the gateway's own export.
    init(_ id: InsertionID, rollout: String = "r", tags: [String] = []) {
        traceID = id.hex
        spanID = String(id.hex.suffix(16))
        start = Int64(clamping: id.milliseconds)
        self.tags = ["rollout_id:\(rollout)", "insertion_id:\(id)"] + tags
    }

    /// The attributes that Langfuse knows nothing of: longer than it shows.
    var attributes: String {
        #"{"filler":"\#(String(repeating: "f", count: 250))","gen_ai.response.finish_reasons":\#(json(json(finishReasons.map(json))))}"#
    }

    /// All metadata but the attributes.
    var ownMetadata: [String: String] {
        guard !isOld, let reasons = FinishReasons.text(finishReasons) else { return metadata }
        return metadata.merging([FinishReasons.name: reasons]) { $1 }
    }

    private func json(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }
    private func json(_ texts: [String]) -> String { "[\(texts.joined(separator: ","))]" }

    /// Where it stands in the store's order: newest first.
    var key: String {
        let time = String(start)
        return String(repeating: "0", count: max(15 - time.count, 0)) + time + traceID + spanID
    }
}

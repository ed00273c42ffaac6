import Common

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
    var spanID: String

    /// A span of the gateway's own export.
    init(_ id: InsertionID, rollout: String = "r", tags: [String] = []) {
        traceID = id.hex
        spanID = String(id.hex.suffix(16))
        start = Int64(clamping: id.milliseconds)
        self.tags = ["rollout_id:\(rollout)", "insertion_id:\(id)"] + tags
    }

    /// Where it stands in the store's order: newest first.
    var key: String {
        let time = String(start)
        return String(repeating: "0", count: max(15 - time.count, 0)) + time + traceID + spanID
    }
}

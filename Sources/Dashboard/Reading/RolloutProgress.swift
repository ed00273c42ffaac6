internal import Common
internal import JSON

/// The progress of a rollout's traces, by its verdict or, where none was asked for, by the list of rollouts.
struct RolloutProgress {
    var verdict: String?
    var expected = 0
    var traced = 0
    var inFlight = 0
    var failed = 0
    /// Whether the numbers are a verdict's, and not the list's, which does not know what is traced.
    var isChecked = false

    /// Those that ended and are not to be found.
    var missing: Int { isChecked ? max(expected - traced - inFlight, 0) : 0 }

    /// - Parameter verdict: an answer of `/rollouts/{rollout_id}`.
    init(verdict object: JSONObject) {
        verdict = object.text("verdict")
        (expected, traced) = (Self.number(object, "expected"), Self.number(object, "traced"))
        (inFlight, failed) = (Self.number(object, "in_flight"), Self.number(object, "failed"))
        // Where the trace store could not be asked, nothing is known to be missing.
        isChecked = verdict == "complete" || verdict == "incomplete"
    }

    /// - Parameter listed: one of `/rollouts`.
    init(listed object: JSONObject) {
        verdict = object.text("verdict")
        (expected, failed) = (Self.number(object, "expected"), Self.number(object, "failed"))
        if verdict == "complete" { (traced, isChecked) = (expected, true) }
    }

    init() {}

    private static func number(_ object: JSONObject, _ name: String) -> Int { Int(object.number(name) ?? 0) }

    /// `good`, `warn`, `bad` or `quiet`.
    var tone: String {
        switch verdict {
        case "complete": "good"
        case "incomplete": missing > 0 ? "bad" : "warn"
        case "unknown": "warn"
        default: "quiet"
        }
    }
}

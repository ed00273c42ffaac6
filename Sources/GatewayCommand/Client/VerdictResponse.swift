/// A verdict as the gateway tells it.
struct VerdictResponse: Codable, Equatable, Sendable {
    enum Kind: String, Codable { case complete, incomplete, unknown }

    var rolloutID: String
    var kind: Kind
    var expected: Int
    var traced: Int
    var inFlight: Int
    var failed: Int
    var missing: [String]
    var reason: String?

    enum CodingKeys: String, CodingKey {
        case rolloutID = "rollout_id"
        case kind = "verdict"
        case inFlight = "in_flight"
        case expected, traced, failed, missing, reason
    }

    /// The number of those that have ended and are not to be found, listed or not.
    var missingCount: Int { max(expected - traced - inFlight, 0) }

    /// In a sentence.
    var summary: String {
        let counts = "\(traced) of \(expected) traced, \(inFlight) in flight, \(missingCount) missing, \(failed) failed"
        return switch kind {
        case .complete where expected == 0: "complete: none of its completions has succeeded, \(failed) failed"
        case .complete: "complete: all \(expected) completions are traced" + (failed > 0 ? ", \(failed) failed" : "")
        case .incomplete: "incomplete: \(counts)"
        case .unknown: "unknown: \(reason ?? "the trace store cannot be asked")"
        }
    }
}

internal import Common

/// One row of the store: a span as Langfuse would show it.
struct Observation: Sendable, Equatable {
    var traceID = ""
    /// The span's id.
    var id = ""
    var parentID: String?
    /// Whether it has no parent, or was marked as an application's root.
    var isRoot = true
    /// `GENERATION`, `SPAN` or another of Langfuse's types.
    var type = "SPAN"
    var name: String?
    var start = Timestamp.epoch
    var end: Timestamp?
    /// `DEBUG`, `DEFAULT`, `WARNING` or `ERROR`.
    var level = "DEFAULT"
    var statusMessage: String?
    var version: String?
    var environment = "default"
    var release: String?
    var user: String?
    var session: String?
    var traceName: String?
    var tags: [String] = []
    var isPublic = false
    var model: String?
    /// A JSON object.
    var modelParameters: String?
    /// A JSON object of whole numbers.
    var usage: String?
    /// A JSON object of numbers: US dollars.
    var cost: String?
    var totalCost: Double?
    /// The time at which the first token came, as the client says, in milliseconds since 1970. Not a `Timestamp`: a
    /// time before 1970, which is negative here, must come back as it was given.
    var firstToken: Int64?
    var promptName: String?
    var promptVersion: Int64?
    /// As given, never decoded.
    var input: String?
    var output: String?
    /// A JSON object.
    var metadata: String?
    /// The times at which the row was first and last written.
    var created = Timestamp.epoch
    var updated = Timestamp.epoch
    /// The input and output of the trace as a whole, where they are given. Only Langfuse's older API shows them.
    var traceInput: String?
    var traceOutput: String?
}

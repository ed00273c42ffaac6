internal import Common

/// One score: what an evaluator, a person or a program found of a trace, an observation, a session or a dataset's run.
struct Score: Sendable {
    enum DataType: String, Sendable, CaseIterable {
        case numeric = "NUMERIC", categorical = "CATEGORICAL", boolean = "BOOLEAN", correction = "CORRECTION",
            text = "TEXT"
    }

    enum Source: String, Sendable, CaseIterable {
        case api = "API", eval = "EVAL", annotation = "ANNOTATION"
    }

    /// Chosen by the client, unique in its project: a score that is sent again replaces the one before it.
    var id = ""
    var name = ""
    var dataType = DataType.numeric
    /// The number, 1 and 0 for truth values, and 0 for texts.
    var value = 0.0
    /// The text of all that is not a number.
    var stringValue: String?
    var traceID: String?
    var observationID: String?
    var sessionID: String?
    var datasetRunID: String?
    var source = Source.api
    var comment: String?
    /// A JSON object.
    var metadata: String?
    var configID: String?
    var queueID: String?
    var executionTraceID: String?
    var environment = "default"
    /// Milliseconds since 1970, as the client says. Not a `Timestamp`: a time before 1970, which is negative here, must
    /// come back as it was given.
    var timestamp: Int64 = 0
    /// The times at which the row was first and last written.
    var created = Timestamp.epoch
    var updated = Timestamp.epoch
}

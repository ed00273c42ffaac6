internal import Common

/// A call that had not the last word.
struct FailedAttempt: Sendable, Equatable {
    /// `provider/model`.
    var model: String
    var failure: Route.Failure
    /// The times at which it was made and at which it had failed.
    var began: Timestamp
    var ended: Timestamp
}

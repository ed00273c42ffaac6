internal import Common

/// A failed call that another call followed.
struct FailedAttempt: Sendable, Equatable {
    /// `provider/model`.
    var model: String
    var failure: Route.Failure
    /// The times at which the call was made and at which it had failed.
    var began: Timestamp
    var ended: Timestamp
}

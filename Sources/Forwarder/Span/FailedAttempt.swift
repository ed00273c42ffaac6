internal import Common

/// A call that had not the last word.
struct FailedAttempt: Sendable, Equatable {
    /// `provider/model`.
    var model: String
    var failure: Route.Failure
    /// The times at which it was made and at which it had failed, in milliseconds since 1970.
    var began: UInt64
    var ended: UInt64
}

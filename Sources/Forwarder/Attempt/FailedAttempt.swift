internal import Common

/// A call that had not the last word.
struct FailedAttempt: Sendable, Equatable {
    /// `provider/model`.
    var model: String
    var failure: Route.Failure
    /// When it was made and when it had failed, in milliseconds since 1970.
    var began: UInt64
    var ended: UInt64
}

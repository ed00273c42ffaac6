/// The limits up to which the store keeps rows.
package struct RetentionLimits: Sendable, Equatable {
    /// The time for which a row is kept after it was made.
    package var age: Duration
    /// Bytes that the rows and their indexes may take. The oldest go first.
    package var bytes: Int
    /// The time for which a row of the request log is kept after the request came in.
    package var requestAge: Duration
    /// The time for which an audit row is kept.
    package var auditAge: Duration

    /// - Parameters:
    ///   - requestAge: nil: as long as a trace.
    ///   - auditAge: nil: as long as a trace.
    package init(age: Duration, bytes: Int, requestAge: Duration? = nil, auditAge: Duration? = nil) {
        self.age = age
        self.bytes = bytes
        self.requestAge = requestAge ?? age
        self.auditAge = auditAge ?? age
    }
}

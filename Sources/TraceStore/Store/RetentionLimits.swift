/// What the store keeps.
package struct RetentionLimits: Sendable, Equatable {
    /// How long a row is kept after it was made.
    package var age: Duration
    /// Bytes that the rows and their indexes may take. The oldest go first.
    package var bytes: Int

    package init(age: Duration, bytes: Int) {
        self.age = age
        self.bytes = bytes
    }
}

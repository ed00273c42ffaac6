internal import Common
internal import GRDB

/// A session: the traces that name it.
struct SessionRow: Sendable {
    var id: String
    /// The time at which its first observation began.
    var created: Timestamp
    /// The environment of its first observation.
    var environment: String

    /// - Parameter row: as a cursor stands on it (``WholeText``).
    init(_ row: Row) {
        (id, created, environment) = (row.text(0) ?? "", row[1], row.text(2) ?? "default")
    }
}

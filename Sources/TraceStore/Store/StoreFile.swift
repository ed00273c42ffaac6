internal import Glibc
internal import NIOConcurrencyHelpers

/// The files of the store as they were opened: the database, its log and the log's index. What is written into a file without a name is lost with the process, so
/// that each call asks whether the names still lead to them.
final class StoreFile: Sendable {
    /// What is said when they do not.
    static let trouble =
        "the trace store's file (traces.sqlite, -wal or -shm) was deleted, moved or replaced while it was in use: no trace is taken or given until the"
        + " process is started again; traces that wait are kept and exported then"

    private struct Place: Equatable {
        let device: UInt64
        let number: UInt64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    let path: String
    private let places: [(path: String, place: Place)]
    private let wasMissed = NIOLockedValueBox(false)

    /// - Parameter path: of a database that is open and was written to.
    init(path: String) {
        self.path = path
        places = ["", "-wal", "-shm"].compactMap { suffix in Place(path + suffix).map { (path + suffix, $0) } }
    }

    /// Whether the names still lead to the files that are open.
    var isInPlace: Bool { places.allSatisfy { Place($0.path) == $0.place } }

    /// Whether this is the first time that a file is missed: it is said once.
    func isFirstMiss() -> Bool {
        wasMissed.withLockedValue { missed in
            defer { missed = true }
            return !missed
        }
    }
}

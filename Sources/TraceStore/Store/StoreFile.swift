internal import Glibc

/// The files of the store as they were opened: the database, its log and the log's index. Rows in a file without a name
/// are lost with the process. So each call asks whether the names still lead to these files.
struct StoreFile: Sendable {
    enum Standing: Sendable {
        case inPlace
        /// A name leads nowhere: the file was deleted or moved. Its contents are in the open one.
        case gone
        /// A name leads to another file, which the store does not touch.
        case replaced
    }

    private struct Place: Equatable {
        let device: UInt64
        let number: UInt64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    private let places: [(path: String, place: Place)]

    /// - Parameter path: of a database that is open and was written to.
    init(path: String) {
        places = ["", "-wal", "-shm"].compactMap { suffix in Place(path + suffix).map { (path + suffix, $0) } }
    }

    /// Whether the database itself still has its name.
    var isNamed: Bool { places.first.map { Place($0.path) == $0.place } ?? false }

    /// The relation of the names to the files that are open.
    var standing: Standing {
        var standing = Standing.inPlace
        for (path, place) in places {
            switch Place(path) {
            case place: continue
            case nil: standing = .gone
            default: return .replaced
            }
        }
        return standing
    }
}

extension StoreFile.Standing {
    /// The trouble in words; nil: there is none.
    var trouble: String? {
        switch self {
        case .inPlace: nil
        case .gone:
            "the trace store's file (traces.sqlite, -wal or -shm) was deleted or moved while it was in use: it is written again from"
                + " what is open; until then no trace is taken or given, and traces that wait are kept"
        case .replaced:
            "the trace store's file (traces.sqlite, -wal or -shm) was replaced while it was in use: no trace is taken or given until"
                + " the process is started again; traces that wait are kept and exported then"
        }
    }
}

/// The error of a database whose file has lost its name, until it is written again.
struct StoreFileGone: Error {}

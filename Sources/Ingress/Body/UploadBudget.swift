internal import NIOConcurrencyHelpers

/// The memory of the large bodies that are being read, over all connections (`UPLOAD_BYTES`). What a body has taken it
/// leaves when it was read, or not.
final class UploadBudget: Sendable {
    /// A body up to this size, in bytes, needs no room: `MAX_CONNECTIONS` bounds how many there are.
    static let free = 64 << 10

    private let limit: Int
    private let used = NIOLockedValueBox(0)

    /// - Parameter limit: in bytes.
    init(limit: Int) { self.limit = limit }

    /// Bytes that the large bodies have taken.
    var bytes: Int { used.withLockedValue { $0 } }

    /// - Returns: whether there was room for so many bytes; if not, nothing is taken.
    func take(_ bytes: Int) -> Bool {
        used.withLockedValue { used in
            guard used + bytes <= limit else { return false }
            used += bytes
            return true
        }
    }

    func leave(_ bytes: Int) {
        // Most bodies have taken nothing.
        guard bytes > 0 else { return }
        used.withLockedValue { $0 -= bytes }
    }
}

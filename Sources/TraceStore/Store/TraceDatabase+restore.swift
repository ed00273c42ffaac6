internal import Common
internal import GRDB
internal import Glibc
internal import NIOConcurrencyHelpers

extension TraceDatabase {
    /// Writes a file that was deleted or moved again under its name, out of what is open, and goes on with it. What was
    /// taken before is in the open file, and what comes meanwhile is refused, so nothing is lost.
    /// - Returns: whether it did. It touches neither a file that has its name nor another one that stands there.
    /// - Throws: the error of SQLite or the file system. A later call tries again.
    func restore() async throws -> Bool {
        if let lost = opened.withLockedValue({ $0 }) {
            guard lost.file.standing == .gone else { return false }
            do { try await copy(lost) } catch {
                unlink(draft)
                throw error
            }
            try lost.pool.close()
            try giveName(replacing: lost.file.isNamed)
        } else {
            try giveName(replacing: false)
        }
        let found = try Opened(path: path)
        opened.withLockedValue { $0 = found }
        return true
    }

    /// The new file, until it takes the name.
    private var draft: String { path + ".restored" }

    /// Copies all that is in the open file, and takes nothing into it from then on.
    private func copy(_ lost: Opened) async throws {
        try await lost.pool.barrierWriteWithoutTransaction { [opened, draft] db in
            unlink(draft)
            let descriptor = Glibc.open(draft, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Self.failure("cannot be made", of: draft) }
            Glibc.close(descriptor)
            let copy = try DatabaseQueue(path: draft)
            try copy.writeWithoutTransaction { try db.backup(to: $0) }
            try copy.close()
            opened.withLockedValue { $0 = nil }
        }
    }

    /// - Parameter replacing: whether the database file itself has its name still, and only its log or index was lost.
    private func giveName(replacing: Bool) throws {
        // Another file may have been put there meanwhile, which `link` leaves alone.
        let result = replacing ? rename(draft, path) : link(draft, path)
        guard result == 0 else {
            // A call before this one has given the name, or the draft was deleted as well.
            if errno == ENOENT, access(path, F_OK) == 0 { return }
            throw Self.failure("holds what the store held and cannot take its name", of: draft)
        }
        unlink(draft)
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
    }

    private static func failure(_ what: String, of path: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CANTOPEN, message: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}

extension String {
    /// The path of the file to which symbolic links lead; the same path where there is none.
    var resolvingLinks: String {
        guard let resolved = realpath(self, nil) else { return self }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

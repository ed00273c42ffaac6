internal import Glibc

/// An open file, closed exactly once when its owner's scope ends.
struct FileDescriptor: ~Copyable {
    private let raw: CInt

    /// Opens a file for reading; nil with `errno` set if that fails. Never waits, as a named pipe would make it.
    init?(reading path: String) {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard raw >= 0 else { return nil }
        self.raw = raw
    }

    deinit { close(raw) }

    /// The file's kind and permissions, as `stat` gives them; nil with `errno` set if that fails.
    var mode: UInt32? {
        var status = stat()
        return fstat(raw, &status) == 0 ? status.st_mode : nil
    }

    /// At most `limit` bytes from the beginning; nil with `errno` set if reading fails.
    func read(limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var failed = false
            let chunk = [UInt8](unsafeUninitializedCapacity: min(64 << 10, limit - bytes.count)) { buffer, count in
                let received = Glibc.read(raw, buffer.baseAddress, buffer.count)
                failed = received < 0
                count = max(received, 0)
            }
            if failed && errno == EINTR { continue }
            if failed { return nil }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return bytes
    }
}

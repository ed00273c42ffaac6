internal import ArgumentParser
internal import Common
internal import FoundationEssentials
internal import Glibc

/// The folder in which `serve` keeps its Redis's data and the key that seals it. One process uses it at a time.
struct DataDirectory {
    /// Absolute.
    let path: String
    /// Held open, and so locked, as long as the process lives.
    private let lock: Int32

    /// Makes the folder, for this user alone, unless it is there.
    init(_ path: String) throws {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw Bootstrap.failure(
                "environment: DATA_DIR: cannot make the folder `\(path)`: \(Self.reason); choose another")
        }
        guard let resolved = realpath(path, nil) else {
            throw Bootstrap.failure("environment: DATA_DIR: cannot use `\(path)`: \(Self.reason); choose another")
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        lock = open(self.path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw Bootstrap.failure(
                "environment: DATA_DIR: cannot write to `\(self.path)`: \(Self.reason); choose another")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw Bootstrap.failure(
                "environment: DATA_DIR: `\(self.path)` is in use by another metadata-gateway; stop that one or choose another folder"
            )
        }
        // What this process and its Redis make from now on is for this user alone, also in a folder that others may
        // read; so is what is there already.
        umask(0o077)
        closeToOthers()
    }

    /// Takes the files of an earlier process, whose names are the gateway's own, from all but their owner.
    private func closeToOthers() {
        let traces = ["traces.sqlite", "traces.sqlite-wal", "traces.sqlite-shm", "traces.sqlite-journal"]
        let others = ["lock", "redis.log", "dump.rdb", "appendonly.aof", "gateway.key", ClientEnvironment.fileName]
        for name in traces + others { protect("\(path)/\(name)") }
        let parts = try? FileManager.default.contentsOfDirectory(atPath: path + "/appendonlydir")
        for name in parts ?? [] { protect("\(path)/appendonlydir/\(name)") }
        chmod(path + "/appendonlydir", 0o700)
    }

    private func protect(_ file: String) {
        let descriptor = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            fchmod(descriptor, 0o600)
        }
    }

    /// The key of this folder's data, made the first time. Kept in a file of mode 0600, so that what is queued survives
    /// a restart.
    func key() throws -> GatewayKey {
        let file = path + "/gateway.key"
        // An empty one is what a full disk left of an earlier start. Where no Redis of this folder has begun, nothing
        // was sealed with it.
        var status = stat()
        if stat(file, &status) == 0, status.st_size > 0 || hasSealedData {
            let text = try? String(contentsOfFile: file, encoding: .utf8)
            guard let key = text.flatMap({ GatewayKey(base64: $0.filter { !$0.isWhitespace }) }) else {
                throw Bootstrap.failure(
                    "\(file): is not 32 bytes in base64; restore it, or delete it together with this folder's appendonlydir and what waits there"
                )
            }
            return key
        }
        let key = GatewayKey.random()
        // Whole or not at all: it gets its name when it is on the disk.
        let unfinished = file + ".part"
        unlink(unfinished)
        let descriptor = open(unfinished, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Bootstrap.failure("\(file): cannot be made: \(Self.reason); make room or choose another DATA_DIR")
        }
        defer {
            Glibc.close(descriptor)
            unlink(unfinished)
        }
        let text = Array((Data(key.reveal()).base64EncodedString() + "\n").utf8)
        guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0, rename(unfinished, file) == 0
        else {
            throw Bootstrap.failure("\(file): cannot be written: \(Self.reason); make room or choose another DATA_DIR")
        }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            Glibc.close(folder)
        }
        return key
    }

    /// The key of a folder's data, if it is there and can be read. Nothing is made, and the folder may be in use.
    static func existingKey(in folder: String) -> GatewayKey? {
        let text = try? String(contentsOfFile: folder + "/gateway.key", encoding: .utf8)
        return text.flatMap { GatewayKey(base64: $0.filter { !$0.isWhitespace }) }
    }

    /// Whether a Redis has written here, and so perhaps what an earlier key sealed.
    private var hasSealedData: Bool {
        ["/appendonlydir", "/appendonly.aof", "/dump.rdb"].contains { access(path + $0, F_OK) == 0 }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}

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
            throw Launch.failure("environment: DATA_DIR: cannot make the folder `\(path)`: \(Self.reason); choose another")
        }
        guard let resolved = realpath(path, nil) else {
            throw Launch.failure("environment: DATA_DIR: cannot use `\(path)`: \(Self.reason); choose another")
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        lock = open(self.path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Launch.failure("environment: DATA_DIR: cannot write to `\(self.path)`: \(Self.reason); choose another") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw Launch.failure(
                "environment: DATA_DIR: `\(self.path)` is in use by another metadata-gateway; stop that one or choose another folder")
        }
    }

    /// The key of this folder's data, made the first time. Kept in a file of mode 0600, so that what is queued survives a restart.
    func key() throws -> GatewayKey {
        let file = path + "/gateway.key"
        if let text = try? String(contentsOfFile: file, encoding: .utf8) {
            guard let key = GatewayKey(base64: text.filter { !$0.isWhitespace }) else {
                throw Launch.failure("\(file): is not 32 bytes in base64; restore it, or delete it together with this folder's other files")
            }
            return key
        }
        let key = GatewayKey.random()
        let descriptor = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Launch.failure("\(file): cannot be made: \(Self.reason)") }
        defer { close(descriptor) }
        let text = Array((Data(key.reveal()).base64EncodedString() + "\n").utf8)
        guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
            throw Launch.failure("\(file): cannot be written: \(Self.reason)")
        }
        return key
    }

    private static var reason: String { String(cString: strerror(errno)) }
}

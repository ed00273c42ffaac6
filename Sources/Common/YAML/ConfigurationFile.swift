internal import Glibc

/// The bytes of a configuration file, read in one go and bounded.
package struct ConfigurationFile: Sendable {
    /// No configuration file may be larger: 1 MiB.
    package static let sizeLimit = 1 << 20
    static let sizeRule = "is larger than \(sizeLimit) bytes, the most that a configuration file may have"

    /// As it was given; errors name the file by it.
    package let path: String
    package let bytes: [UInt8]
    /// The permission bits, such as `0o600`.
    package let permissions: UInt32

    /// Reads a regular file. Throws if it is absent, unreadable, something other than a file, or larger than
    /// `sizeLimit`.
    package init(reading path: String) throws(ConfigurationError) {
        func failure(_ message: String) -> ConfigurationError { ConfigurationError(at: .file(path), message) }
        guard let descriptor = FileDescriptor(reading: path) else {
            throw failure("cannot be opened: \(Self.reason(errno))")
        }
        guard let mode = descriptor.mode, mode & S_IFMT == S_IFREG else {
            throw failure("is not a regular file")
        }
        guard let bytes = descriptor.read(limit: Self.sizeLimit + 1) else {
            throw failure("cannot be read: \(Self.reason(errno))")
        }
        guard bytes.count <= Self.sizeLimit else {
            throw failure(Self.sizeRule)
        }
        self.path = path
        self.bytes = bytes
        permissions = mode & 0o777
    }

    /// Whether there is anything at `path`, readable or not.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A warning about a mode that lets others than its owner read a file of secrets. Nil if the mode is good.
    package var permissionWarning: ConfigurationProblem? {
        guard permissions & 0o077 != 0 else { return nil }
        let mode = String(permissions, radix: 8)
        return ConfigurationProblem(
            .warning, at: .file(path),
            "holds secrets, but its mode 0\(mode) lets others than its owner at it; run `chmod 600 \(path)`")
    }

    private static func reason(_ code: CInt) -> String {
        switch code {
        case ENOENT: "there is no such file"
        case EACCES: "permission denied; it must be readable by the user that runs the gateway"
        default: String(cString: strerror(code)).lowercased()
        }
    }
}

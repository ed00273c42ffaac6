internal import Glibc

/// The place to which a command writes a whole file. A regular file appears, or is replaced, when all is in it. What is
/// none, as a device, a pipe or standard output (`-`), is written to as it comes: to rename over it would destroy it.
struct OutputFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ reason: String) { description = "\(path): cannot be written: \(reason)" }
        /// The failure of the last system call.
        init(_ path: String) { self.init(path, String(cString: strerror(errno))) }
    }

    /// Links of links that are followed, as many as the system follows (`path_resolution(7)`).
    private static let mostLinks = 40

    /// As the caller named it.
    private let name: String
    private let descriptor: CInt
    /// The file under its last name; nil if it is written to as it comes.
    private let target: String?
    /// The file under its first name.
    private let part: String?

    /// Opens the place. A symbolic link is followed, also to a file that is not there yet.
    init(_ name: String) throws(Failure) {
        self.name = name
        guard name != "-" else {
            (descriptor, target, part) = (dup(STDOUT_FILENO), nil, nil)
            guard descriptor >= 0 else { throw Failure(name) }
            return
        }
        var status = stat()
        let isThere = stat(name, &status) == 0
        guard isThere || errno == ENOENT else { throw Failure(name) }
        let kind = status.st_mode & S_IFMT
        if isThere, kind == S_IFDIR { throw Failure(name, "it is a folder; name a file in it") }
        guard !isThere || kind == S_IFREG else {
            (descriptor, target, part) = (try Self.through(name, truncating: false), nil, nil)
            return
        }
        let target = try Self.resolved(name)
        // `/dev/stdout` and its like name what is open already, and where it stands, not a file to be replaced.
        if let number = Self.openNumber(target) {
            (descriptor, self.target, part) = (dup(number), nil, nil)
            guard descriptor >= 0 else { throw Failure(name) }
            return
        }
        let part = "\(target).\(UInt64.random(in: .min ... .max)).part"
        // Exclusively: where others may write, another's file or link could stand there. Prompts are for its owner
        // alone, unless the file was for others before.
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            if isThere { fchmod(descriptor, status.st_mode & 0o777) }
            (self.descriptor, self.target, self.part) = (descriptor, target, part)
            return
        }
        // A file that may be written to in a folder that may not.
        guard isThere, [EACCES, EPERM, EROFS].contains(errno) else { throw Failure(name) }
        (self.descriptor, self.target, self.part) = (try Self.through(name, truncating: true), nil, nil)
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw Failure(name) }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    /// Closes the place and gives the file its name.
    func keep() throws(Failure) {
        guard let part, let target else {
            guard close(descriptor) == 0 else { throw Failure(name) }
            return
        }
        defer { unlink(part) }
        guard close(descriptor) == 0, rename(part, target) == 0 else { throw Failure(name) }
    }

    /// Closes the place and leaves what was there before.
    func discard() {
        close(descriptor)
        if let part { unlink(part) }
    }

    private static func through(_ name: String, truncating: Bool) throws(Failure) -> CInt {
        let descriptor = open(name, O_WRONLY | O_CLOEXEC | (truncating ? O_TRUNC : 0))
        guard descriptor >= 0 else { throw Failure(name) }
        return descriptor
    }

    /// The number of `/proc/self/fd/N` or `/dev/fd/N`; nil for any other path.
    private static func openNumber(_ path: String) -> CInt? {
        guard let prefix = ["/proc/self/fd/", "/dev/fd/"].first(where: { path.hasPrefix($0) }) else { return nil }
        return CInt(path.dropFirst(prefix.count))
    }

    /// The name at the end of all links.
    private static func resolved(_ name: String) throws(Failure) -> String {
        var path = name
        for _ in 0..<mostLinks {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &buffer, buffer.count)
            guard count >= 0, openNumber(path) == nil else { return path }
            let link = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard !link.hasPrefix("/"), let slash = path.lastIndex(of: "/") else {
                path = link
                continue
            }
            path = path[...slash] + link
        }
        errno = ELOOP
        throw Failure(name)
    }
}

internal import FoundationEssentials
internal import Glibc

extension RedisServer {
    private typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    /// Of glibc since 2.34; the module of glibc that Swift imports leaves it out.
    private static let addCloseFrom = unsafeBitCast(
        dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"), to: AddCloseFrom?.self)

    /// Starts a program found by PATH, without standard input and output, and with nothing that is open in this
    /// process: SwiftNIO's sockets are inherited by whoever does not refuse them.
    static func spawn(_ arguments: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        guard addCloseFrom?(&actions, STDERR_FILENO + 1) == 0 else {
            throw StartError(description: "cannot start \(arguments[0]): glibc is older than 2.34")
        }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
        guard failure == 0 else {
            let reason = String(cString: strerror(failure))
            throw StartError(
                description:
                    "cannot start \(arguments[0]): \(reason); install it (apt-get install \(arguments[0])) or put it on PATH"
            )
        }
        return process
    }

    /// A new folder, short enough for a socket's path (108 bytes).
    package static func makeFolder() throws -> String {
        var template = Array("/tmp/redis-XXXXXX".utf8CString)
        guard let folder = mkdtemp(&template) else {
            throw StartError(description: "cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
        }
        return String(cString: folder)
    }

    /// Removes a folder with everything in it.
    package static func removeFolder(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}

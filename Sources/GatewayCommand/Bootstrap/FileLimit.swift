internal import Glibc

/// The number of files and sockets that the process may have open. Each client and each call to a provider takes one,
/// and the usual soft limit of 1,024 is far below what the hard one allows.
enum FileLimit {
    /// Raises the soft limit to the hard one. Where that is refused, the limit stays and the gateway runs within it.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

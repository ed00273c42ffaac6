internal import Glibc

/// The number of files and sockets that the process may have open (`RLIMIT_NOFILE`). Each client and each call to a
/// provider takes one, and the usual soft limit of 1,024 is far below what the hard one allows.
enum FileLimit {
    /// Raises the soft limit to the hard one. Where that is refused, the limit stays and the gateway runs within it.
    /// - Returns: the limit that holds from now on; nil if the system does not say.
    static func raise() -> Int? {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}

internal import Glibc

/// Tells one state of a file from another without reading it (stat(2)): a replaced or rewritten file has another stamp.
package struct FileStamp: Sendable, Equatable {
    private let device, inode: UInt
    private let size: Int
    /// Seconds and nanoseconds of the last change of the contents, and of the inode.
    private let times: [Int]

    /// - Returns: nil if there is no file, or none that may be looked at. Symbolic links are followed.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, inode, size) = (status.st_dev, status.st_ino, status.st_size)
        times = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}

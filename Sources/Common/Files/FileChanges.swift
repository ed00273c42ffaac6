/// Decides when files are read again: they are others than when they were last read, and have rested since the last
/// look, so that none is read halfway.
package struct FileChanges: Sendable {
    /// The files as they were last read, or could not be.
    private var read: [FileStamp?]
    /// The files as they were last seen.
    private var seen: [FileStamp?]

    /// - Parameter read: the files as they were before they were first read.
    package init(read: [FileStamp?]) { (self.read, seen) = (read, read) }

    /// Notes a look at the files.
    /// - Parameter isAsked: whether they are read in any case.
    /// - Returns: whether they are to be read now; they then count as read.
    package mutating func look(_ found: [FileStamp?], isAsked: Bool = false) -> Bool {
        defer { seen = found }
        guard isAsked || found == seen && found != read else { return false }
        read = found
        return true
    }
}

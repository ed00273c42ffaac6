extension Timestamp {
    /// The instant as ISO 8601 writes it, such as `2026-11-22T19:26:39.120Z`.
    package var iso8601: String { TimeText.iso(Int64(clamping: milliseconds)) }

    /// Reads a time of ISO 8601, as ``TimeText`` does. Nil for what is none, and for one before 1970.
    package init?(iso8601 text: String) {
        guard let time = TimeText.milliseconds(text), let milliseconds = UInt64(exactly: time) else { return nil }
        self.init(milliseconds: milliseconds)
    }
}

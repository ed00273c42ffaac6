internal import Common

extension String {
    /// At most 128 Unicode scalars, so that a message stays readable for any text of a client.
    var excerpt: String {
        let start = prefix(128)
        // `Substring + String` first counts characters, also those of the text that is cut off.
        return start.endIndex == endIndex ? self : String(start) + "…"
    }
}

internal import Common

extension String {
    /// At most 128 Unicode scalars, so that a message stays readable for any text of a client.
    var excerpt: String {
        let start = prefix(128)
        // `Substring + String` counts characters first, which takes as long as the text that is cut off.
        return start.endIndex == endIndex ? self : String(start) + "…"
    }
}

/// What can stand as a key in an HTTP header.
enum HeaderText {
    /// Visible ASCII characters without spaces, at least one.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

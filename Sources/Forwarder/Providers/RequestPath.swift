internal import Common

/// Judges paths that are appended to a provider's base URL. The ingress has refused bad paths before; this is the last
/// check.
enum RequestPath {
    /// Whether a percent-encoded path stays under its base however a server normalises it (RFC 3986 §5.2.4): no dot
    /// segment, no empty segment but the last, no encoded separator, and visible ASCII only.
    static func isSafe(_ path: String) -> Bool {
        guard path.utf8.first == UInt8(ascii: "/"),
            path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !forbidden.contains($0) })
        else {
            return false
        }
        var text = path
        if text.utf8.contains(UInt8(ascii: "%")) {
            text = text.lowercased()
            // OpenAI's clients encode the slashes of a model that they look up.
            if text.hasPrefix(modelPrefix) { text.replace("%2f", with: "/") }
            guard !encodedSeparators.contains(where: { text.contains($0) }) else { return false }
            text.replace("%2e", with: ".")
        }
        return hasPlainSegments(text)
    }

    /// Whether no segment is a dot segment, and none but the last is empty. The path begins with a slash.
    private static func hasPlainSegments(_ path: String) -> Bool {
        var (length, dots) = (0, 0)
        for byte in path.utf8.dropFirst() {
            guard byte == UInt8(ascii: "/") else {
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
                continue
            }
            if length == 0 || dots == length && dots <= 2 { return false }
            (length, dots) = (0, 0)
        }
        return length == 0 || dots < length || dots > 2
    }

    /// Whether a query can be put after `?` as it is.
    static func isSafe(query: String) -> Bool {
        query.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }

    private static let modelPrefix = "/models/"
    private static let forbidden = Array(#"?#\"#.utf8)
    private static let encodedSeparators = ["%2f", "%5c", "%00", "%0a", "%0d"]
}

/// The segments of a request's path, read from the left. A segment is compared as it is written and decoded only where
/// it is an id.
struct PathSegments {
    /// The part that has not been read: empty, or beginning with `/`.
    private(set) var rest: Substring.UTF8View

    /// - Throws: A 400 unless the path begins with `/` and is made of visible ASCII; everything else has to be
    ///   percent-encoded (RFC 3986 §3.3).
    init(_ path: String) throws(GatewayError) {
        guard path.utf8.first == UInt8(ascii: "/") else { throw .invalidPath("it does not begin with a slash") }
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "?"), UInt8(ascii: "#"): throw .invalidPath("a ? or # within it must be percent-encoded")
            case 0x21...0x7E: continue
            default:
                throw .invalidPath(
                    "spaces, control characters and characters beyond ASCII must be percent-encoded as UTF-8")
            }
        }
        rest = path[...].utf8
    }

    /// The next segment as it is written, without its slash. Nil at the end; empty where two slashes meet or the last
    /// byte is a slash.
    var next: Substring.UTF8View? {
        rest.isEmpty ? nil : rest.dropFirst().prefix { $0 != UInt8(ascii: "/") }
    }

    /// Reads the next segment.
    mutating func take() -> Substring.UTF8View? {
        guard let segment = next else { return nil }
        rest = rest[segment.endIndex...]
        return segment
    }

    /// Reads the next segment if it is `name`.
    @discardableResult
    mutating func skip(_ name: String) -> Bool {
        guard let segment = next, segment.isText(name) else { return false }
        rest = rest[segment.endIndex...]
        return true
    }
}

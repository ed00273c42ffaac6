internal import Common

extension Substring {
    /// The text without spaces at its ends.
    var trimmed: Substring {
        var rest = utf8.drop { $0 == UInt8(ascii: " ") }
        while rest.last == UInt8(ascii: " ") { rest.removeLast() }
        return Substring(rest)
    }
}

internal import Common
internal import JSON

/// The members that tell an array's element from others. Ranges lie in the bytes of the event; those of texts are
/// without their quotes.
struct ElementKey: Sendable {
    /// The value, of any kind except null.
    private(set) var index: Range<Int>?
    private(set) var id: Range<Int>?
    private(set) var type: Range<Int>?
    /// The name of a tool call's function or custom tool.
    private(set) var name: Range<Int>?
    /// Whether a tool call has arguments or an input, be it an empty text.
    private(set) var hasInput = false
    /// Whether these are not empty.
    private(set) var hasText = false
    /// The place of an image.
    private(set) var url: Range<Int>?

    /// - Parameter walker: stands before the element.
    init(_ walker: JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) {
        var walker = walker
        try walker.members { (walker, member) throws(JSONScanError) in
            if walker.isName(member, "index") {
                let value = try walker.skip()
                if bytes[value.lowerBound] != UInt8(ascii: "n") { index = value }
            } else if walker.isName(member, "id") {
                id = try walker.string()
            } else if walker.isName(member, "type") {
                type = try walker.string()
            } else if walker.isName(member, "function") || walker.isName(member, "custom") {
                try readTool(&walker)
            } else if walker.isName(member, "image_url") {
                try walker.members { (walker, member) throws(JSONScanError) in
                    if walker.isName(member, "url") { url = try walker.string() }
                }
            }
        }
    }

    private mutating func readTool(_ walker: inout JSONWalker) throws(JSONScanError) {
        try walker.members { (walker, member) throws(JSONScanError) in
            if walker.isName(member, "name") {
                name = try walker.string()
            } else if walker.isName(member, "arguments") || walker.isName(member, "input") {
                let kind = try walker.kind()
                let text = try walker.string()
                hasInput = kind != .null
                hasText = hasInput && text?.isEmpty != true
            }
        }
    }
}

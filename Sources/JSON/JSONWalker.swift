/// Goes through a JSON text value by value and keeps no list of what it passed: for texts that come by the thousand,
/// such as a stream's events.
///
/// As strict as `JSONObject` about grammar and UTF-8, but for names: one that occurs twice is seen twice, and one that
/// is written with escapes is not a known name. Ranges count the bytes of the text.
package struct JSONWalker {
    private var scanner: JSONScanner

    /// - Parameter range: The part that holds one value, by default all of `bytes`.
    package init(_ bytes: [UInt8], range: Range<Int>? = nil) {
        scanner = JSONScanner(bytes, range: range ?? 0..<bytes.count, maximumDepth: .max)
        scanner.skipWhitespace()
    }

    /// The kind of the next value.
    package func kind() throws(JSONScanError) -> JSONObject.Kind { try scanner.kind() }

    /// Passes the next value, of any kind.
    /// - Returns: Its range, a string's quotes included.
    @discardableResult
    package mutating func skip() throws(JSONScanError) -> Range<Int> {
        let start = scanner.index
        _ = try scanner.value()
        return start..<scanner.index
    }

    /// Passes the next value.
    /// - Returns: The range of its text within the quotes, still escaped; nil if it is not a string.
    package mutating func string() throws(JSONScanError) -> Range<Int>? { try text()?.range }

    /// Passes the next value.
    /// - Returns: The range of its text within the quotes, and whether a part of it is escaped; nil if it is not a
    ///   string.
    package mutating func text() throws(JSONScanError) -> (range: Range<Int>, hasEscapes: Bool)? {
        guard try kind() == .string else {
            try skip()
            return nil
        }
        let (range, hasEscapes) = try scanner.string()
        return (range, hasEscapes)
    }

    /// Passes the next value, and visits the members if it is an object. A visit reads the member's value, or leaves it
    /// to be skipped.
    /// - Parameter visit: Is given the name's bytes, within the quotes.
    package mutating func members(
        _ visit: (inout JSONWalker, Range<Int>) throws(JSONScanError) -> Void
    ) throws(JSONScanError) {
        guard try kind() == .object else {
            try skip()
            return
        }
        guard try scanner.enter(closing: UInt8(ascii: "}")) else { return }
        repeat {
            let name = try scanner.name().text
            let start = scanner.index
            try visit(&self, name)
            if scanner.index == start { try skip() }
        } while try scanner.more()
    }

    /// Passes the next value, and visits the elements if it is an array. A visit reads the element, or leaves it to be
    /// skipped.
    package mutating func elements(_ visit: (inout JSONWalker) throws(JSONScanError) -> Void) throws(JSONScanError) {
        guard try kind() == .array else {
            try skip()
            return
        }
        guard try scanner.enter(closing: UInt8(ascii: "]")) else { return }
        repeat {
            let start = scanner.index
            try visit(&self)
            if scanner.index == start { try skip() }
        } while try scanner.more()
    }

    /// Whether the bytes there are this name.
    package func isName(_ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { $0.elementsEqual(scanner.bytes[range]) }
    }

    /// Whether the bytes are one JSON value with nothing but whitespace around it.
    package static func isValue(_ bytes: [UInt8], range: Range<Int>? = nil) -> Bool {
        var walker = JSONWalker(bytes, range: range)
        do throws(JSONScanError) {
            try walker.skip()
            try walker.scanner.endOfText()
            return true
        } catch {
            return false
        }
    }
}

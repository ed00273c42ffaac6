/// Divides a JSON text by its strings, brackets and commas alone, so that a fault within one part does not hide the
/// others: each part is then scanned by itself (``JSONObject/scan(_:range:maximumDepth:)``), with its own bounds.
///
/// What the parts hold is not checked here. That brackets are closed by their like, and strings at all, is.
package struct JSONOutline: Sendable {
    package let bytes: [UInt8]
    /// The outermost value, without the whitespace around it.
    package let whole: Range<Int>

    /// Nil unless the text is one array or object, all of whose brackets and strings are closed.
    package init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        whole = Self.trimmed(0..<bytes.count, of: bytes)
        var scanner = JSONScanner(bytes, range: whole, maximumDepth: .max)
        var nesting = JSONNesting()
        guard let first = whole.first, Self.isOpening(bytes[first]) else { return nil }
        while scanner.index < scanner.end {
            let byte = bytes[scanner.index]
            switch byte {
            case UInt8(ascii: "\""):
                guard scanner.skipString() else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): nesting.open(isObject: byte == UInt8(ascii: "{"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard nesting.isInObject == (byte == UInt8(ascii: "}")) else { return nil }
                nesting.close()
                if nesting.count == 0, scanner.index != scanner.end - 1 { return nil }
            default: break
            }
            scanner.index += 1
        }
        guard nesting.count == 0 else { return nil }
    }

    /// The elements of the array that a value is, without the whitespace around them. A place with nothing in it
    /// (`[1,]`) is none. Nil for what is not an array.
    package func elements(of value: Range<Int>) -> [Range<Int>]? { parts(of: value, UInt8(ascii: "[")) }

    /// The members of the object that a value is. One whose name cannot be read has none; its value is then all of it.
    /// Nil for what is not an object.
    package func members(of value: Range<Int>) -> [(name: String?, value: Range<Int>)]? {
        parts(of: value, UInt8(ascii: "{"))?.map { part in
            var scanner = JSONScanner(bytes, range: part, maximumDepth: .max)
            guard let key = try? scanner.name(), let name = JSONText.unescaped(bytes[key.text]) else {
                return (nil, part)
            }
            return (name, scanner.index..<part.upperBound)
        }
    }

    /// The text of the string that a value is; nil for what is none.
    package func text(of value: Range<Int>) -> String? {
        var scanner = JSONScanner(bytes, range: value, maximumDepth: .max)
        guard let first = value.first, bytes[first] == UInt8(ascii: "\""), let string = try? scanner.string(),
            scanner.index == value.upperBound
        else { return nil }
        return JSONText.unescaped(bytes[string.text])
    }

    /// Whether a value is `null`.
    package func isNull(_ value: Range<Int>) -> Bool { bytes[value].elementsEqual("null".utf8) }

    private func parts(of value: Range<Int>, _ opener: UInt8) -> [Range<Int>]? {
        guard let first = value.first, bytes[first] == opener else { return nil }
        var scanner = JSONScanner(bytes, range: value, maximumDepth: .max)
        var parts: [Range<Int>] = []
        var depth = 0
        var start = first + 1
        while scanner.index < scanner.end {
            let place = scanner.index
            switch bytes[place] {
            case UInt8(ascii: "\""):
                guard scanner.skipString() else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                guard depth == 0 else { break }
                // Behind the end something else may stand, if a comma is missing.
                guard place == scanner.end - 1 else { return nil }
                append(start..<place, to: &parts)
                return parts
            case UInt8(ascii: ",") where depth == 1:
                append(start..<place, to: &parts)
                start = place + 1
            default: break
            }
            scanner.index += 1
        }
        return nil
    }

    private func append(_ part: Range<Int>, to parts: inout [Range<Int>]) {
        let part = Self.trimmed(part, of: bytes)
        if !part.isEmpty { parts.append(part) }
    }

    private static func isOpening(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

    private static func trimmed(_ range: Range<Int>, of bytes: [UInt8]) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isWhitespace(bytes[start]) { start += 1 }
        while end > start, isWhitespace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

extension JSONScanner {
    /// Passes over a string from its opening quote to behind its closing one. The text in it may be anything.
    /// - Returns: whether it is closed.
    fileprivate mutating func skipString() -> Bool {
        index += 1
        while index < end {
            index = plainTextEnd()
            guard index < end else { return false }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return true
            case UInt8(ascii: "\\"): index += 2
            default: repeat { index += 1 } while index < end && bytes[index] >= 0x80
            }
        }
        return false
    }
}

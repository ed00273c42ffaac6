/// A header's value with parameters, as `form-data; name="model"` or `multipart/form-data; boundary=x` (RFC 9110
/// §5.6.6).
struct HeaderParameters {
    /// The text before the parameters, in lower case.
    let value: [UInt8]
    /// By name, in lower case.
    private var parameters: [(name: [UInt8], value: [UInt8])] = []

    /// Nil if it is malformed, has a parameter twice, or a backslash before a quote, which readers take in two ways.
    init?(_ text: some Collection<UInt8>) {
        var rest = ArraySlice(Array(text))
        value = Self.trimmed(rest.prefix { $0 != UInt8(ascii: ";") }).map(\.asciiLowercased)
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        while rest.popFirst() != nil {
            rest = rest.drop(while: Self.isSpace)
            // A semicolon at the end is harmless.
            if rest.isEmpty { break }
            guard let sign = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = Self.trimmed(rest[..<sign]).map(\.asciiLowercased)
            rest = rest[(sign + 1)...].drop(while: Self.isSpace)
            guard HTTPSyntax.isToken(name), !has(name), let value = Self.takeValue(&rest) else { return nil }
            parameters.append((name, value))
            guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
        }
    }

    func has(_ name: String) -> Bool { self[name] != nil }
    subscript(name: String) -> [UInt8]? { parameters.first { $0.name.elementsEqual(name.utf8) }?.value }

    private func has(_ name: [UInt8]) -> Bool { parameters.contains { $0.name == name } }

    private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let quote = UInt8(ascii: "\"")
        guard rest.first == quote else {
            let value = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest[value.endIndex...]
            let trimmed = trimmed(value)
            return trimmed.contains(quote) ? nil : Array(trimmed)
        }
        rest = rest.dropFirst()
        guard let end = rest.firstIndex(of: quote), rest[..<end].last != UInt8(ascii: #"\"#) else { return nil }
        defer { rest = rest[(end + 1)...].drop(while: isSpace) }
        return Array(rest[..<end])
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }
}

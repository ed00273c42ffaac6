extension FormBody {
    /// Reads an `application/x-www-form-urlencoded` body.
    init(urlencoded bytes: [UInt8]) throws(GatewayError) {
        var fields: [Field] = []
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.endIndex
            if let field = try Self.field(bytes, start..<end) { fields.append(field) }
            guard fields.count <= Self.mostFields else {
                throw .invalidForm("it has more than \(Self.mostFields) fields; send fewer")
            }
            start = end + 1
        }
        self.init(bytes: bytes, fields: fields, kind: .urlencoded)
    }

    private static func field(_ bytes: [UInt8], _ range: Range<Int>) throws(GatewayError) -> Field? {
        guard !range.isEmpty else { return nil }
        // Some readers end a field at a semicolon.
        guard !bytes[range].contains(UInt8(ascii: ";")) else { throw .invalidForm("it holds a bare `;`; write %3B") }
        let sign = bytes[range].firstIndex(of: UInt8(ascii: "="))
        guard let name = unescaped(bytes[range.lowerBound..<(sign ?? range.upperBound)]) else {
            throw .invalidForm("a % in a field's name is not followed by two hex digits; write %25")
        }
        let value = (sign.map { $0 + 1 } ?? range.upperBound)..<range.upperBound
        return Field(
            name: name, value: value, whole: range, isFile: unescaped(bytes[value]) == nil)
    }
}

extension FormBody {
    private static let lineEnd = Array("\r\n".utf8)

    /// Reads a `multipart/form-data` body (RFC 7578, RFC 2046 §5.1.1), strictly: lines end with CRLF, and nothing but
    /// line ends surrounds the parts.
    init(multipart bytes: [UInt8], boundary: [UInt8]) throws(GatewayError) {
        let delimiter = Array("--".utf8) + boundary
        let starts = try Self.delimiters(delimiter, in: bytes)
        var fields: [Field] = []
        var open: Int?
        for start in starts {
            let after = start + delimiter.count
            if let open { fields.append(try Self.part(bytes, from: open, to: start, delimiter)) }
            guard fields.count <= Self.mostFields else {
                throw .invalidForm("it has more than \(Self.mostFields) parts; send fewer")
            }
            if bytes[after...].starts(with: "--".utf8) {
                guard start == starts.last, bytes[(after + 2)...].allSatisfy(Self.lineEnd.contains) else {
                    throw .invalidForm("something follows the closing delimiter; end the body there")
                }
                self.init(bytes: bytes, fields: fields, kind: .multipart(delimiter: delimiter, end: start))
                return
            }
            open = start
        }
        throw .invalidForm("the closing delimiter is missing; end the body with the boundary between two `--`")
    }

    /// Offsets of the delimiters. A line that only resembles one is refused: readers differ in what they accept.
    private static func delimiters(_ delimiter: [UInt8], in bytes: [UInt8]) throws(GatewayError) -> [Int] {
        var starts: [Int] = []
        var line = bytes.startIndex
        while line < bytes.endIndex {
            if bytes[line...].starts(with: delimiter) {
                let after = bytes[(line + delimiter.count)...]
                let isPreceded = line == 0 || line >= 2 && bytes[(line - 2)..<line].elementsEqual(lineEnd)
                guard isPreceded, after.starts(with: lineEnd) || after.starts(with: "--".utf8) else {
                    throw .invalidForm(
                        "a line begins with the boundary and is not a delimiter; end lines with CRLF, or choose another boundary"
                    )
                }
                starts.append(line)
            }
            line = bytes[line...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.endIndex
        }
        guard let first = starts.first, bytes[..<first].allSatisfy(lineEnd.contains) else {
            throw .invalidForm("it does not begin with the boundary that its Content-Type names")
        }
        return starts
    }

    /// Reads one part, which begins at its delimiter and ends before the next.
    private static func part(
        _ bytes: [UInt8], from start: Int, to next: Int, _ delimiter: [UInt8]
    ) throws(GatewayError) -> Field {
        var header = MultipartHeader()
        var line = start + delimiter.count + lineEnd.count
        while true {
            guard let end = bytes[line..<next].firstRange(of: lineEnd)?.lowerBound else {
                throw .invalidForm("a part has no empty line between its headers and its content")
            }
            defer { line = end + lineEnd.count }
            if end == line { break }
            try header.read(bytes[line..<end])
        }
        guard let name = header.name else {
            throw .invalidForm("a part has no `Content-Disposition: form-data; name=\"…\"`")
        }
        guard line <= next - lineEnd.count else {
            throw .invalidForm("a part has no content and no empty line before the next delimiter")
        }
        return Field(name: name, value: line..<(next - lineEnd.count), whole: start..<next, isFile: header.isFile)
    }
}

/// The content of the headers of one part of a form (RFC 7578 §4.2).
struct MultipartHeader {
    private(set) var name: [UInt8]?
    /// Whether the part has a filename, or is written in another encoding than its own bytes.
    private(set) var isFile = false
    private var hasDisposition = false

    /// Reads one line, without its end.
    mutating func read(_ line: ArraySlice<UInt8>) throws(GatewayError) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), HTTPSyntax.isToken(line[..<colon]),
            line.allSatisfy(HTTPSyntax.isFieldByte)
        else {
            throw .invalidForm("a part has a malformed header; write `Name: value` on one line")
        }
        switch String(decoding: line[..<colon].map(\.asciiLowercased), as: UTF8.self) {
        case "content-disposition":
            guard !hasDisposition else { throw .invalidForm("a part has two Content-Disposition headers") }
            hasDisposition = true
            try readDisposition(line[(colon + 1)...])
        case "content-transfer-encoding":
            let value = String(
                decoding: line[(colon + 1)...].filter { $0 != 0x20 && $0 != 0x09 }.map(\.asciiLowercased), as: UTF8.self
            )
            if !["7bit", "8bit", "binary", ""].contains(value) { isFile = true }
        default: return
        }
    }

    private mutating func readDisposition(_ value: ArraySlice<UInt8>) throws(GatewayError) {
        guard let parameters = HeaderParameters(value), parameters.value.elementsEqual("form-data".utf8) else {
            throw .invalidForm(
                "a part's Content-Disposition is malformed; write `form-data; name=\"…\"`, and a quote within a name as %22"
            )
        }
        // The extended form (RFC 8187) is decoded by some readers only; RFC 7578 §4.2 forbids it.
        guard !parameters.has("name*"), !(parameters["name"]?.contains(UInt8(ascii: #"\"#)) ?? false) else {
            throw .invalidForm(
                "a part's name is written as `name*` or with a backslash; write it as plain `name=\"…\"`")
        }
        name = parameters["name"]
        isFile = isFile || parameters.has("filename") || parameters.has("filename*")
    }
}

/// Collects the status and headers of the final answer from the header lines that libcurl hands over one by one.
///
/// The heads of 1xx answers and trailers are counted but not kept.
struct AnswerHead {
    /// Set once the final head is whole.
    private(set) var head: UpstreamHead?
    /// Whether a status line has come whose head is not yet whole.
    private(set) var isInsideHead = false
    /// Whether the answer came over HTTP/2 or later.
    private(set) var isMultiplexed = false
    /// Whether the body is compressed or otherwise encoded.
    private(set) var isEncoded = false
    /// Whether the final head says the body's length in two ways, or in something that is no number: readers differ in what they make of it.
    private(set) var isAmbiguous = false
    private var status = 0
    private var headers: [HeaderField] = []
    private var bytesLeft: Int

    /// - Parameter limit: bytes of all header lines together, those of 1xx answers and trailers included.
    init(limit: Int) { bytesLeft = limit }

    /// Takes one line, line end included: a status line, a field, or the empty line. Returns false if the lines are longer than is allowed.
    mutating func append(_ line: UnsafeRawBufferPointer) -> Bool {
        bytesLeft -= line.count
        guard bytesLeft >= 0 else { return false }
        if head == nil { parse(line) }
        return true
    }

    private mutating func parse(_ line: UnsafeRawBufferPointer) {
        let text = line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        if text.isEmpty {
            isInsideHead = false
            guard status >= 200 else { return }
            head = UpstreamHead(status: status, headers: headers)
            let lengths = Set(texts: headers.filter { $0.name.equalsIgnoringASCIICase("content-length") }.map(\.value))
            isAmbiguous = lengths.count > 1 || !lengths.allSatisfy { !$0.text.isEmpty && $0.text.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            isEncoded = headers.first(named: "content-encoding") != nil
        } else if text.starts(with: "HTTP/".utf8) {
            begin(text)
        } else {
            appendField(text)
        }
    }

    private mutating func begin(_ statusLine: Slice<UnsafeRawBufferPointer>) {
        headers.removeAll()
        isInsideHead = true
        isMultiplexed = statusLine.dropFirst(5).first.map { $0 >= UInt8(ascii: "2") } ?? false
        let digits = statusLine.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix { (0x30...0x39).contains($0) }.prefix(3)
        status = digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
    }

    private mutating func appendField(_ text: Slice<UnsafeRawBufferPointer>) {
        if text.first == UInt8(ascii: " ") || text.first == UInt8(ascii: "\t") {
            // RFC 9112 §5.2: a folded line continues the field before it.
            if let last = headers.indices.last { headers[last].value += " " + text.trimmingBlanks().latin1 }
            return
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = text[..<colon]
        let value = text[(colon + 1)...].trimmingBlanks()
        guard HTTPSyntax.isToken(name), value.allSatisfy(HTTPSyntax.isFieldByte) else { return }
        headers.append(HeaderField(name.latin1, value.latin1))
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate func trimmingBlanks() -> Self {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }

    /// The text as ISO-8859-1, in which every byte is a character: what RFC 9110 §5.5 says of bytes beyond ASCII.
    fileprivate var latin1: String {
        if let ascii = String(validating: self, as: Unicode.ASCII.self) { return ascii }
        return String(String.UnicodeScalarView(map { Unicode.Scalar($0) }))
    }
}

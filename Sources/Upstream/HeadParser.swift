internal import Compression

/// Collects the status and headers of the final answer from the header lines that libcurl hands over one by one.
///
/// The heads of 1xx answers and trailers are counted but not kept.
struct HeadParser {
    /// Set once the final head is whole.
    private(set) var head: UpstreamHead?
    /// Whether a status line has come whose head is not yet whole.
    private(set) var isInsideHead = false
    /// Whether the answer came over HTTP/2 or later.
    private(set) var isMultiplexed = false
    /// The codings of the body that are undone, in the order in which they were applied. The head then says nothing of
    /// them.
    private(set) var codings: [ContentCoding] = []
    /// Whether the final head says the body's length in two ways, or in something that is not a number: readers differ
    /// in what they make of it.
    private(set) var isAmbiguous = false
    private var status = 0
    private var headers: [HeaderField] = []
    /// The value of the first Content-Length.
    private var length: String?
    private var bytesLeft: Int

    /// - Parameter limit: bytes of all header lines together, those of 1xx answers and trailers included.
    init(limit: Int) { bytesLeft = limit }

    /// Takes one line, line end included: a status line, a field, or the empty line. Returns false if the lines are
    /// longer than is allowed.
    mutating func append(_ line: UnsafeRawBufferPointer) -> Bool {
        bytesLeft -= line.count
        guard bytesLeft >= 0 else { return false }
        if head == nil { parse(line) }
        return true
    }

    private mutating func parse(_ line: UnsafeRawBufferPointer) {
        let text = line.part(0, line.firstIndex { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") } ?? line.count)
        if text.isEmpty {
            isInsideHead = false
            guard status >= 200 else { return }
            for field in headers { note(field) }
            takeCodings()
            head = UpstreamHead(status: status, headers: headers)
        } else if text.starts(with: "HTTP/".utf8) {
            begin(text)
        } else {
            appendField(text)
        }
    }

    /// Notes what a field of the final head says of the body.
    private mutating func note(_ field: HeaderField) {
        guard field.name.equalsIgnoringASCIICase("content-length") else { return }
        let isNumber = !field.value.isEmpty && field.value.utf8.allSatisfy { (0x30...0x39).contains($0) }
        if !isNumber || length != nil && length != field.value { isAmbiguous = true }
        length = field.value
    }

    /// Leaves the codings in the head that are not undone: those that are not known, and what is below them.
    private mutating func takeCodings() {
        let isLabel: (HeaderField) -> Bool = { $0.name.equalsIgnoringASCIICase("content-encoding") }
        guard headers.contains(where: isLabel) else { return }
        var names = ContentCoding.names(in: headers.filter(isLabel).map(\.value))
        while let coding = names.last.flatMap({ ContentCoding(name: $0) }), coding.isAvailable {
            codings.insert(coding, at: 0)
            names.removeLast()
        }
        headers.removeAll(where: isLabel)
        if !names.isEmpty { headers.append(HeaderField("content-encoding", names.joined(separator: ", "))) }
    }

    private mutating func begin(_ statusLine: UnsafeRawBufferPointer) {
        headers.removeAll()
        isInsideHead = true
        isMultiplexed = statusLine.dropFirst(5).first.map { $0 >= UInt8(ascii: "2") } ?? false
        let digits = statusLine.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix { (0x30...0x39).contains($0) }
            .prefix(3)
        status = digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
    }

    private mutating func appendField(_ text: UnsafeRawBufferPointer) {
        if text.first == UInt8(ascii: " ") || text.first == UInt8(ascii: "\t") {
            // RFC 9112 §5.2: a folded line continues the field before it.
            if let last = headers.indices.last { headers[last].value += " " + text.trimmingBlanks().text }
            return
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = text.part(0, colon)
        let value = text.part(colon + 1, text.count).trimmingBlanks()
        guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { return }
        headers.append(HeaderField(name.text, value.text))
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func part(_ start: Int, _ end: Int) -> Self { Self(rebasing: self[start..<end]) }

    fileprivate func trimmingBlanks() -> Self {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var (start, end) = (0, count)
        while start < end, isBlank(self[start]) { start += 1 }
        while start < end, isBlank(self[end - 1]) { end -= 1 }
        return part(start, end)
    }

    /// The text as UTF-8, which passes on as it came; else as ISO-8859-1, in which every byte is a character: what
    /// RFC 9110 §5.5 says of bytes beyond ASCII.
    fileprivate var text: String {
        if let text = String(validating: self, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(map { Unicode.Scalar($0) }))
    }
}

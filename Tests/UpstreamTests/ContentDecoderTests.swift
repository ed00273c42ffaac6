import Compression
import TestSupport
import Testing

@testable import Upstream

/// An answer's label says how it is compressed, and its bytes say whether that is so.
@Suite struct ContentDecoderTests {
    private static let text = Compressed.text
    private static let forms: [(ContentCoding, [UInt8])] = [
        (.gzip, Compressed.gzip), (.deflate, Compressed.zlib), (.deflate, Compressed.raw), (.zstd, Compressed.zstd),
        (.brotli, Compressed.brotli),
    ]
    private static let texts = [
        text, "", "ok", "[]", "data: {\"choices\":[]}\n\n", ": keep-alive\n\n", "xyz", "x", "(a", "<html>é</html>",
        String(repeating: "{\"é\":1}\n", count: 5000), "\u{FEFF}{}", "{\"ü\":1}",
    ]

    /// - Parameter size: bytes that come at once.
    private func decoded(
        _ bytes: [UInt8], _ codings: [ContentCoding], isText: Bool = false, by size: Int = .max
    ) throws -> [UInt8] {
        let decoder = ContentDecoder(codings, isText: isText)
        var (out, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes[...])
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            try piece.withUnsafeBytes { try decoder.take($0) { out += $0 } }
        }
        try decoder.end { out += $0 }
        return out
    }

    @Test(arguments: forms, [1, 2, 7, .max]) func `a right label is undone`(
        form: (ContentCoding, [UInt8]), size: Int
    ) throws {
        guard form.0.isAvailable else { return }
        #expect(try decoded(form.1, [form.0], by: size) == Array(Self.text.utf8))
        #expect(try decoded(form.1, [form.0], isText: true, by: size) == Array(Self.text.utf8))
    }

    @Test(arguments: ContentCoding.allCases, texts) func `a plain text passes`(
        coding: ContentCoding, text: String
    ) throws {
        guard coding.isAvailable else { return }
        for size in [1, 3, 100, .max] {
            #expect(try decoded(Array(text.utf8), [coding], by: size) == Array(text.utf8), "\(coding) by \(size)")
            #expect(try decoded(Array(text.utf8), [coding, coding], isText: true, by: size) == Array(text.utf8))
        }
    }

    /// A text that waits for nothing more is not kept back.
    @Test func `a plain event passes at once`() throws {
        let decoder = ContentDecoder([.gzip], isText: true)
        var out: [UInt8] = []
        for piece in [":\n\n", "d", "ata: 1\n\n"] {
            let before = out.count
            try Array(piece.utf8).withUnsafeBytes { try decoder.take($0) { out += $0 } }
            #expect(Array(out[before...]) == Array(piece.utf8))
        }
    }

    @Test(arguments: forms) func `a label that is said twice is undone once`(
        coding: ContentCoding, bytes: [UInt8]
    ) throws {
        guard coding.isAvailable else { return }
        for size in [1, .max] {
            #expect(try decoded(bytes, [coding, coding], by: size) == Array(Self.text.utf8))
            #expect(try decoded(bytes, [.gzip, coding], by: size) == Array(Self.text.utf8))
        }
    }

    @Test func `what is compressed once more is undone if it is text`() throws {
        let twice = try #require(Gzip.compress(Compressed.gzip))
        #expect(try decoded(twice, [.gzip], isText: true, by: 1) == Array(Self.text.utf8))
        #expect(try decoded(twice, [.gzip], isText: false) == Compressed.gzip, "a file that is an archive stays one")
    }

    /// The bytes tell gzip, zstd and zlib from each other.
    @Test(arguments: [Compressed.gzip, Compressed.zlib], ContentCoding.allCases)
    func `another form than the labels is undone`(bytes: [UInt8], coding: ContentCoding) throws {
        guard coding.isAvailable else { return }
        for size in [1, .max] { #expect(try decoded(bytes, [coding], by: size) == Array(Self.text.utf8)) }
    }

    @Test func `members in a row are undone and what follows is left out`() throws {
        for size in [1, 10, .max] {
            #expect(
                try decoded(Compressed.gzip + Compressed.gzip, [.gzip], by: size) == Array((Self.text + Self.text).utf8)
            )
            #expect(try decoded(Compressed.gzip + [0, 0, 0], [.gzip], by: size) == Array(Self.text.utf8))
        }
    }

    @Test func `what begins in its coding and breaks is a failure`() throws {
        var bytes = try #require(Gzip.compress((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }))
        for place in 20..<60 { bytes[place] ^= 0xFF }
        #expect(throws: ContentDecoder.Failure.broken) { try decoded(bytes, [.gzip]) }
    }

    /// A server may end a stream without compressing its end.
    @Test func `what ends early is handed on as far as it came`() throws {
        let bytes = Array(Compressed.gzip.dropLast(8))
        #expect(try decoded(bytes, [.gzip], by: 5) == Array(Self.text.utf8))
    }

    @Test(
        arguments: [
            ("gzip", ["gzip"], nil), ("GZIP, br", ["gzip", "br"], nil), ("utf-8", [], "utf-8"), ("identity", [], nil),
            ("", [], nil), ("aws-chunked, x-gzip", ["gzip"], "aws-chunked"), ("gzip, compress", [], "gzip, compress"),
        ] as [(String, [String], String?)])
    func `what is not undone keeps its label`(label: String, undone: [String], left: String?) throws {
        var head = HeadParser(limit: 1000)
        for line in ["HTTP/1.1 200 OK\r\n", "Content-Encoding: \(label)\r\n", "\r\n"] {
            _ = Array(line.utf8).withUnsafeBytes { head.append($0) }
        }
        #expect(head.codings.map(\.rawValue) == undone)
        #expect(head.head?.headers.first(named: "content-encoding") == left)
    }
}

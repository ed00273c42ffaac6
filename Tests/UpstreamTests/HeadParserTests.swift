import Testing

@testable import Upstream

/// What is read of an answer's header lines.
@Suite struct HeadParserTests {
    /// Text in UTF-8 passes as it came; what is none is ISO-8859-1 (RFC 9110 §5.5). Either is encoded once.
    @Test(
        arguments: [
            ([0xC3, 0xA9], "é"), ([0xE9], "é"), ([0xE2, 0x82, 0xAC], "€"), ([0xFF, 0x41], "ÿA"), ([0x41], "A"),
        ] as [([UInt8], String)])
    func `a value beyond ASCII is decoded once`(bytes: [UInt8], text: String) throws {
        var head = HeadParser(limit: 1000)
        for line in [
            Array("HTTP/1.1 200 OK\r\n".utf8), Array("x-request-id: ".utf8) + bytes + Array("\r\n".utf8),
            Array("\r\n".utf8),
        ] {
            #expect(line.withUnsafeBytes { head.append($0) })
        }
        let field = try #require(head.head?.headers.first)
        #expect(Array(field.value.utf8) == Array(text.utf8))
    }
}

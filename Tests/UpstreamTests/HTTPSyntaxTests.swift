import Testing

@testable import Upstream

@Suite struct HTTPSyntaxTests {
    /// RFC 9110 §5.6.2.
    @Test func `a token holds letters, digits and a few signs`() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        let allowed = Array((letters + letters.lowercased() + "0123456789" + "!#$%&'*+-.^_`|~").utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(HTTPSyntax.isTokenByte(byte) == allowed.contains(byte), "\(byte)")
            let isToken = [byte, 0x61].withUnsafeBytes { HTTPSyntax.isToken($0) }
            #expect(isToken == allowed.contains(byte), "\(byte)")
        }
        #expect(!HTTPSyntax.isToken(""))
        #expect(!HTTPSyntax.isToken(UnsafeRawBufferPointer(start: nil, count: 0)))
    }

    @Test func `a field's value holds no control character but the tab`() {
        for byte in UInt8.min...UInt8.max {
            let isValue = [0x61, byte].withUnsafeBytes { HTTPSyntax.isFieldValue($0) }
            #expect(isValue == (byte == 0x09 || byte >= 0x20 && byte != 0x7F), "\(byte)")
        }
        #expect(HTTPSyntax.isFieldValue("") && HTTPSyntax.isFieldValue("é") && !HTTPSyntax.isFieldValue("a\r\nb: c"))
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("*/*", false), ("application/json", false), ("text/event-stream", true),
            ("text/html, Text/Event-Stream;q=0.9", true), ("text/event", false),
        ] as [(String?, Bool)])
    func `events are asked for by their media type`(_ accept: String?, _ expected: Bool) {
        #expect(HTTPSyntax.acceptsEvents(accept) == expected)
    }
}

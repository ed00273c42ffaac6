import Testing

@testable import Forwarder

@Suite struct StreamEndTests {
    private static let end = "data: {\"a\":1}\n\ndata: [DONE]\n\n"

    /// However the stream is cut, it has ended when the line has.
    @Test(arguments: 0..<end.utf8.count)
    func itIsNoticedHoweverItIsCut(cut: Int) {
        let bytes = Array(Self.end.utf8)
        var end = StreamEnd()
        end.take(Array(bytes[..<cut]))
        #expect(end.hasCome == (cut == bytes.count - 1), "\(cut)")
        end.take(Array(bytes[cut...]))
        #expect(end.hasCome)
    }

    @Test(arguments: ["data: [DONE]\r\n\r\n", "data:[DONE]\n\n", "data: [DONE]\n"])
    func otherFormsAreRead(text: String) {
        var end = StreamEnd()
        end.take(Array(text.utf8))
        #expect(end.hasCome)
    }

    @Test(arguments: ["data: [DONE]", "data: \"[DONE]\n", "metadata: [DONE]\n\n", "data: [DONE]\n\ndata: {}\n\n", "[DONE]\n", ""])
    func otherTextIsNoEnd(text: String) {
        var end = StreamEnd()
        end.take(Array(text.utf8))
        #expect(!end.hasCome)
    }
}

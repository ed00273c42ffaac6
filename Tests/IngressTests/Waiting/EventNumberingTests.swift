import Testing

@testable import Ingress

@Suite struct EventNumberingTests {
    private func run(_ text: String, after last: Int = 0, pieces: Int = 1) -> String {
        var numbering = EventNumbering(after: last)
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            out += numbering.take(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        return String(decoding: out + numbering.rest(), as: UTF8.self)
    }

    @Test(arguments: [
        ("data: a\n\ndata: b\n\n", "data: a\nid: 1\n\ndata: b\nid: 2\n\n"),
        ("data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\nid: 1\r\n\r\ndata: b\r\nid: 2\r\n\r\n"),
        ("data: a\r\rdata: b\rdata: c\r\r", "data: a\rid: 1\r\rdata: b\rdata: c\rid: 2\r\r"),
        ("event: x\ndata: a\ndata: b\n\n", "event: x\ndata: a\ndata: b\nid: 1\n\n"),
        (": ping\n\n\n\ndata: [DONE]\n\n", ": ping\nid: 1\n\ndata: [DONE]\nid: 2\n\n"),
        ("data: a\n\ndata: cut", "data: a\nid: 1\n\ndata: cut"), ("", ""), ("\n\n", ""),
    ])
    func `each event gets its number in pieces of any size`(text: String, expected: String) {
        for pieces in 1...5 { #expect(run(text, pieces: pieces) == expected) }
    }

    /// A comment keeps a connection alive only if it waits for nothing. Its number comes with its empty line, and is
    /// the one that it has always had.
    @Test func `a comment does not wait`() {
        var numbering = EventNumbering(after: 1)
        let pieces = [": old\n", "\n", ": ping\n", ": pong\r\n", "\n", ": ping\n", "data: a\n", ": ping\n", "\n"]
        let passed = pieces.map { String(decoding: numbering.take(Array($0.utf8)), as: UTF8.self) }
        let first = ["", "", ": ping\n", ": pong\r\n", "id: 2\n\n"]
        #expect(passed == first + [": ping\n", "", "", "data: a\n: ping\nid: 3\n\n"])
    }

    @Test(arguments: 0...5)
    func `goes on behind the last event, with nothing lost and nothing doubled`(last: Int) {
        let text = (1...4).map { "data: \($0)\n\n" }.joined()
        let whole = (1...4).map { "data: \($0)\nid: \($0)\n\n" }
        #expect(run(text, after: last, pieces: 3) == whole.dropFirst(last).joined())
    }

    /// None fills the memory, and each gets the bytes and the number that it has in one piece.
    @Test(arguments: ["\n", "\r\n", "\r"], [1, 1000, 65_536, 65_537, 70_001, 300_000])
    func `a large event is passed on in parts`(lineEnd: String, pieces: Int) {
        let long = String(repeating: "x", count: 65_534)
        // Cuts fall within lines, behind them, and between the two bytes of a line end.
        let events = [
            "data: a", "data: \(long)\(long)", "data: \(long.dropLast(6))\(lineEnd)data: \(long)", "data: b",
            "data: \(long.dropLast(5))", "data: \(long.dropLast(4))", "data: c",
        ]
        let text = events.map { $0 + lineEnd + lineEnd }.joined()
        for last in [0, 1, 2, 4] {
            let numbered = events.enumerated().map { "\($1)\(lineEnd)id: \($0 + 1)\(lineEnd)\(lineEnd)" }
            #expect(run(text, after: last, pieces: pieces) == numbered.dropFirst(last).joined())
        }
        var numbering = EventNumbering(after: 0)
        let passed = numbering.take(Array("data: \(long)\(long)".utf8))
        #expect(passed.count > 131_000 && numbering.isInsideEvent)
        #expect(numbering.take(Array("\(lineEnd)\(lineEnd)".utf8)).isEmpty == false && !numbering.isInsideEvent)
    }
}

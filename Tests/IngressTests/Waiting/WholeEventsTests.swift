import Testing

@testable import Ingress

@Suite struct WholeEventsTests {
    /// What is passed on of pieces, one by one, and what is left at a good end.
    private func run(_ pieces: [String]) -> [String] {
        var events = WholeEvents()
        return pieces.map { String(decoding: events.take(Array($0.utf8)), as: UTF8.self) } + [String(decoding: events.rest(), as: UTF8.self)]
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func aPartOfAnEventWaitsForItsEnd(end: String) {
        let event = "data: a\(end)\(end)"
        #expect(run([event, event + event]) == [event, event + event, ""])
        #expect(run(["da", "ta: a", end, end + "da", "ta: b"]) == ["", "", "", event, "", "data: b"])
    }

    @Test(arguments: ["data: a\n\ndata: b\n\n", "data: a\r\n\r\n: c\r\n\r\ndata: b\r\n\r\n", "\n\n\n", "data: a\rdata: b\r\r", "no end"])
    func nothingIsLostOrChanged(text: String) {
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self) }
            #expect(run(pieces).joined() == text)
        }
    }

    /// What goes on without an end is passed on in parts; its end is seen all the same.
    @Test func anEventWithoutEndIsNotKept() {
        var events = WholeEvents()
        let piece = [UInt8](repeating: 0x61, count: 10_000)
        let passed = (0..<100).map { _ in events.take(piece).count }
        #expect(passed.reduce(0, +) > 900_000)
        #expect(events.isInsideEvent)
        _ = events.take(Array("\n\n".utf8))
        #expect(!events.isInsideEvent && events.rest().isEmpty)
    }
}

import Testing

@testable import Ingress

@Suite struct WholeEventsTests {
    /// What is passed on of pieces, one by one, and what is left at a good end.
    private func run(_ pieces: [String]) -> [String] {
        var events = WholeEvents()
        return pieces.map { String(decoding: events.take(Array($0.utf8)), as: UTF8.self) } + [
            String(decoding: events.rest(), as: UTF8.self)
        ]
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func `a part of an event waits for its end`(end: String) {
        let event = "data: a\(end)\(end)"
        #expect(run([event, event + event]) == [event, event + event, ""])
        #expect(run(["da", "ta: a", end, end + "da", "ta: b"]) == ["", "", "", event, "", "data: b"])
    }

    @Test(arguments: [
        "data: a\n\ndata: b\n\n", "data: a\r\n\r\n: c\r\n\r\ndata: b\r\n\r\n", "\n\n\n", "data: a\rdata: b\r\r",
        "no end",
        ": c\n: c\n\ndata: a\n: c\n\n\n:\n\n", ":\r\n:\r\n\r\ndata: a\r\n\r\n:\rdata: b\r\r",
    ])
    func `nothing is lost or changed`(text: String) {
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self)
            }
            #expect(run(pieces).joined() == text)
        }
    }

    /// A provider that thinks keeps the connection alive with a comment or an empty line, with nothing behind it.
    @Test(arguments: ["\n", "\r\n", "\r"]) func `a comment between events waits for nothing`(end: String) {
        let event = "data: a\(end)\(end)"
        let comment = ": keep-alive\(end)"
        let pieces = [comment, end, comment, event + comment, event]
        #expect(run(pieces) == pieces + [""])
        #expect(run([": keep", "-alive", end, event]) == [": keep", "-alive", end, event, ""])
        #expect(run([end, end, end + "da", "ta: a" + end, end]) == [end, end, end, "", event, ""])
    }

    /// What has come of an event cannot be overtaken.
    @Test func `a comment within an event waits with it`() {
        #expect(run(["data: a\n", ": keep-alive\n", "\n"]) == ["", "", "data: a\n: keep-alive\n\n", ""])
    }

    /// An error that followed directly would be read as the rest of the comment.
    @Test func `a part of a comment is a line to be ended`() {
        var events = WholeEvents()
        for piece in [":", " keep", "-alive\n", ":", "\n\n", "data: a"] {
            _ = events.take(Array(piece.utf8))
            #expect(events.isInsideLine == [":", " keep"].contains(piece), "\(piece)")
            #expect(!events.isInsideEvent)
        }
    }

    /// What goes on without an end is passed on in parts; its end is seen all the same.
    @Test func `an event without end is not kept`() {
        var events = WholeEvents()
        let piece = [UInt8](repeating: 0x61, count: 10_000)
        let passed = (0..<100).map { _ in events.take(piece).count }
        #expect(passed.reduce(0, +) > 900_000)
        #expect(events.isInsideEvent)
        _ = events.take(Array("\n\n".utf8))
        #expect(!events.isInsideEvent && events.rest().isEmpty)
    }

    /// A client acts on an event at its blank line only, and the next event may be long in coming.
    @Test(arguments: ["\n", "\r\n", "\r"]) func `the blank line of an event in parts waits for nothing`(end: String) {
        let long = "data: " + String(repeating: "x", count: 70_000)
        let event = Array((long + end + end).utf8)
        for place in long.utf8.count..<event.count {
            var events = WholeEvents()
            let passed = events.take(Array(event[..<place])) + events.take(Array(event[place...]))
            #expect(passed == event && !events.isInsideEvent, "cut \(event.count - place) bytes before the end")
            #expect(events.take(Array(": ping\(end)".utf8)) == Array(": ping\(end)".utf8))
        }
    }
}

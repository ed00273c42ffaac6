import TestSupport
import Testing

@testable import Common
@testable import Text

/// Line ends of server-sent events (HTML Living Standard §9.2.5), in bytes that are cut anywhere.
@Suite struct EventLineSplitterTests {
    /// The lines of a stream, and the beginning of one that has not ended.
    private struct Lines: Equatable {
        var ended: [[UInt8]] = []
        var rest: [UInt8] = []
    }

    /// Bytes that end lines, and bytes near them that do not.
    private static let bytes: [UInt8] = [0x0A, 0x0D, 0x00, 0x09, 0x0B, 0x0C, 0x0E, 0x61, 0x8A, 0x8D, 0xFF]

    /// Reads pieces, and checks what is said of each line.
    private func split(_ pieces: [[UInt8]]) -> Lines {
        var splitter = EventLineSplitter()
        var lines = Lines()
        var endedWithCR = false
        for piece in pieces {
            var start = splitter.begin(piece)
            #expect(start == (endedWithCR && piece.first == 0x0A ? 1 : 0))
            while let line = splitter.nextLine(in: piece, from: start) {
                #expect(line.text.lowerBound == start)
                #expect([[0x0A], [0x0D], [0x0D, 0x0A]].contains(Array(piece[line.text.upperBound..<line.end])))
                lines.ended.append(lines.rest + piece[line.text])
                #expect(line.isBlank == lines.ended.last?.isEmpty)
                lines.rest = []
                start = line.end
            }
            lines.rest += piece[start...]
            #expect(splitter.isInsideLine == !lines.rest.isEmpty)
            if let last = piece.last { endedWithCR = last == 0x0D }
        }
        return lines
    }

    /// Splits a whole stream in the simplest way.
    private func model(_ stream: [UInt8]) -> Lines {
        let text = stream.enumerated().filter { $1 != 0x0A || $0 == 0 || stream[$0 - 1] != 0x0D }
        let lines = text.map { $1 == 0x0D ? 0x0A : $1 }.split(separator: 0x0A, omittingEmptySubsequences: false)
        return Lines(ended: lines.dropLast().map { Array($0) }, rest: Array(lines.last ?? []))
    }

    /// Pieces of up to `longest` bytes; some are empty.
    private func cut(_ stream: [UInt8], longest: Int, using random: inout SeededRandom) -> [[UInt8]] {
        var (pieces, rest): ([[UInt8]], ArraySlice<UInt8>) = ([], stream[...])
        while !rest.isEmpty {
            let piece = rest.prefix(random.below(longest + 1))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    @Test(arguments: [
        ("a\nb\n\nc", ["a", "b", ""], "c"), ("a\r\nb\r\n\r\nc", ["a", "b", ""], "c"),
        ("a\rb\r\rc", ["a", "b", ""], "c"), ("a\n\rb\r\r\n\n", ["a", "", "b", "", ""], ""),
        ("\n", [""], ""), ("\r\n", [""], ""), ("\r", [""], ""), ("", [], ""), ("data: a", [], "data: a"),
        ("data: 12345678\n\n", ["data: 12345678", ""], ""),
    ])
    func `lines end with LF, CR LF and CR`(text: String, ended: [String], rest: String) {
        let expected = Lines(ended: ended.map { Array($0.utf8) }, rest: Array(rest.utf8))
        let stream = Array(text.utf8)
        #expect(model(stream) == expected)
        #expect(split([stream]) == expected)
        for place in stream.indices { #expect(split([Array(stream[..<place]), Array(stream[place...])]) == expected) }
        #expect(split(stream.flatMap { [[], [$0]] }) == expected)
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func `random cuts change no line`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let share = 1 + random.below(60)
            let stream = (0..<random.below(300)).map { _ in
                random.chance(percent: share) ? random.pick(Self.bytes) : UInt8(ascii: "x")
            }
            let pieces = cut(stream, longest: random.pick([1, 2, 7, 40, 400]), using: &random)
            #expect(split(pieces) == model(stream), "\(pieces)")
        }
    }

    /// Eight bytes are looked at together: none must hide or feign another, at any place among them.
    @Test func `the first line end is found beside any byte`() {
        for byte in UInt8.min...UInt8.max {
            let isEnd = byte == 0x0A || byte == 0x0D
            #expect(EventLineSplitter.endsLine(byte) == isEnd)
            for (count, place) in [(1, 0), (7, 6), (8, 0), (8, 7), (17, 3), (17, 16)] {
                for other in Self.bytes {
                    let bytes = (0..<count).map { $0 == place ? byte : other }
                    for start in [0, place, count] {
                        let first = (start..<count).first { bytes[$0] == 0x0A || bytes[$0] == 0x0D }
                        #expect(EventLineSplitter.lineEnd(in: bytes, from: start) == first)
                    }
                }
            }
        }
    }

    /// Where all lines of a stream end alike, a blank line is the same from its beginning and from its end.
    @Test(arguments: ["\n", "\r\n", "\r"]) func `looking back finds the same blank lines`(lineEnd: String) {
        var random = SeededRandom(seed: 1)
        for _ in 0..<500 {
            let text = (0..<random.below(30)).map { _ in random.pick([lineEnd, "a", "bc"]) }.joined()
            let stream = Array("data\(text)".utf8)
            var (splitter, start, ends): (EventLineSplitter, Int, [Int]) = (EventLineSplitter(), 0, [])
            while let line = splitter.nextLine(in: stream, from: start) {
                start = line.end
                if line.isBlank { ends.append(start) }
            }
            let places = 0...stream.count
            #expect(places.filter { EventLineSplitter.endsBlankLine(in: stream, before: $0) } == ends, "\(stream)")
            for start in places {
                let last = ends.last { $0 > start }
                #expect(EventLineSplitter.lastBlankLineEnd(in: stream, behind: start) == last, "\(stream)")
            }
        }
    }

    @Test func `looking back waits for the LF of a CR LF`() {
        func ends(_ text: String, startsLine: Bool = false) -> Bool {
            EventLineSplitter.endsBlankLine(in: Array(text.utf8), before: text.utf8.count, startsLine: startsLine)
        }
        #expect(!ends("a\n\r") && ends("a\n\r\n"))
        #expect(!ends("a\r\n\r") && ends("a\r\n\r\n"))
        #expect(ends("a\r\r") && !ends("a\r\n"))
        #expect(!ends("\n") && ends("\n", startsLine: true))
        #expect(!ends("\r\n") && ends("\r\n", startsLine: true))
        #expect(!ends("", startsLine: true) && !ends("a", startsLine: true))
    }
}

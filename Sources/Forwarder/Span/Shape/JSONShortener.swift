internal import Common
internal import JSON

/// Shortens a JSON value that is larger than a span may show, and leaves it JSON of the same shape.
///
/// First the longest strings are cut inside: those that hold data (`data:` URIs, Base64), then texts; of those that are
/// too long the oldest first, so that the newest messages stay whole as long as they can. If that is not enough,
/// elements of arrays are left out, the oldest first, and a mark stands in their place. The value is gone over a fixed
/// number of times, and strings are chosen by one threshold.
struct JSONShortener {
    /// A string that may be cut.
    struct LongString {
        /// Its inside.
        var range: Range<Int>
        var isData: Bool
    }

    /// The length below which strings are not cut, so that there are few to choose from.
    private static let shortest = 256
    /// Bytes that stay of a text, and of data, while newer strings are whole.
    private static let text = 256
    private static let data = 64

    private(set) var cutStrings = 0
    private(set) var leftOut = 0

    /// - Parameters:
    ///   - piece: one JSON value.
    ///   - limit: bytes that it may have then; at least `JSONFitter.shortest`.
    ///   - main: the part whose strings are cut after all others, such as a request's messages beside its tools.
    mutating func shorten(_ piece: ByteSlice, to limit: Int, main: Range<Int>? = nil) -> ByteSlice {
        guard piece.count > limit else { return piece }
        let shorter = cutStrings(of: piece, excess: piece.count - limit, main: main)
        guard shorter.count > limit else { return shorter }
        var fitter = JSONFitter(shorter.bytes)
        fitter.fit(shorter.range, to: max(limit, JSONFitter.shortest))
        leftOut += fitter.leftOut
        cutStrings += fitter.cutStrings
        return ByteSlice(fitter.out)
    }

    private mutating func cutStrings(of piece: ByteSlice, excess: Int, main: Range<Int>?) -> ByteSlice {
        var strings = Self.longStrings(in: piece)
        if let main {
            // All strings beside the main part count as older than those in it.
            strings =
                strings.filter { !main.contains($0.range.lowerBound) }
                + strings.filter { main.contains($0.range.lowerBound) }
        }
        var excess = excess
        var edits: [TextEdit] = []
        for isData in [true, false] where excess > 0 {
            cut(
                strings.filter { $0.isData == isData }, of: piece.bytes, to: isData ? Self.data : Self.text,
                excess: &excess,
                edits: &edits)
        }
        cutStrings += edits.count
        return TextEdit.apply(edits.sorted { $0.range.lowerBound < $1.range.lowerBound }, to: piece)
    }

    /// Cuts strings that are longer than a threshold, the first ones first, until enough is gone.
    private func cut(
        _ strings: [LongString], of bytes: [UInt8], to least: Int, excess: inout Int, edits: inout [TextEdit]
    ) {
        let threshold = Self.threshold(strings.map(\.range.count), excess: excess)
        for string in strings where string.range.count > threshold && excess > 0 {
            let mark = Array(SpanLimits.mark(kept: string.range.count, of: string.range.count).utf8)
            let wanted = max(string.range.count - mark.count - excess, min(least, max(threshold, Self.shortest / 2)))
            let kept = JSONText.wholePrefix(of: bytes, string.range, atMost: wanted)
            let replacement = Array(SpanLimits.mark(kept: kept.count, of: string.range.count).utf8)
            let saved = string.range.count - kept.count - replacement.count
            guard saved > 0 else { continue }
            edits.append(TextEdit(range: kept.upperBound..<string.range.upperBound, replacement: replacement))
            excess -= saved
        }
    }

    /// The length beyond which strings are cut: the largest that saves enough; 0 if all of them together do not.
    private static func threshold(_ lengths: [Int], excess: Int) -> Int {
        let mark = 64
        let sorted = lengths.sorted(by: >)
        var sum = 0
        for (index, length) in sorted.enumerated() {
            sum += length
            let threshold = (sum - excess) / (index + 1) - mark
            if threshold >= (index + 1 < sorted.count ? sorted[index + 1] : 0) { return max(threshold, 0) }
        }
        return 0
    }

    /// The long strings of a JSON value that are not names, in their order.
    private static func longStrings(in piece: ByteSlice) -> [LongString] {
        piece.bytes.withUnsafeBufferPointer { bytes in
            var strings: [LongString] = []
            var place = piece.range.lowerBound
            let end = piece.range.upperBound
            while place < end {
                guard bytes[place] == UInt8(ascii: "\"") else {
                    place += 1
                    continue
                }
                let start = place + 1
                place = start
                while place < end, bytes[place] != UInt8(ascii: "\"") {
                    place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
                }
                let inside = start..<min(place, end)
                place += 1
                guard inside.count >= shortest else { continue }
                while place < end, bytes[place] <= 0x20 { place += 1 }
                if place < end, bytes[place] == UInt8(ascii: ":") { continue }
                strings.append(LongString(range: inside, isData: isData(bytes, inside)))
            }
            return strings
        }
    }

    /// Whether a string is a `data:` URI or Base64.
    private static func isData(_ bytes: UnsafeBufferPointer<UInt8>, _ inside: Range<Int>) -> Bool {
        if bytes[inside].starts(with: "data:".utf8) { return true }
        return bytes[inside].prefix(1024).allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "+"),
                UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "\\"):
                true
            default: false
            }
        }
    }
}

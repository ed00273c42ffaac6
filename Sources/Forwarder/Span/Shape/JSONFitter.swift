internal import Common
internal import JSON

/// Writes a JSON value within so many bytes where cutting strings is not enough: arrays lose their oldest elements,
/// objects their last members, and a mark stands in their place.
struct JSONFitter {
    /// No value is made shorter than this: a mark needs room.
    static let shortest = 256
    /// The depth of nesting beyond which values are left out as a whole. Each level looks at its bytes once more.
    private static let deepest = 8

    private let bytes: [UInt8]
    private(set) var out: [UInt8] = []
    private(set) var leftOut = 0
    private(set) var cutStrings = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func fit(_ range: Range<Int>, to budget: Int, depth: Int = 0) {
        guard range.count > budget else {
            out += bytes[range]
            return
        }
        let first = bytes[range.lowerBound]
        switch first {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            guard depth < Self.deepest, budget >= Self.shortest else { fallthrough }
            // The text was scanned with the whole.
            if first == UInt8(ascii: "[") {
                try? fitArray(range, budget: budget, depth: depth)
            } else {
                try? fitObject(range, budget: budget, depth: depth)
            }
        default:
            let isString = first == UInt8(ascii: "\"")
            let inside = isString ? range.dropFirst().dropLast() : range.lowerBound..<range.lowerBound
            let kept = JSONText.wholePrefix(of: bytes, inside, atMost: max(budget - 96, 0))
            out.append(UInt8(ascii: "\""))
            out += bytes[kept]
            out += SpanLimits.mark(kept: kept.count, of: isString ? inside.count : range.count).utf8
            out.append(UInt8(ascii: "\""))
            cutStrings += 1
        }
    }

    /// Keeps the newest elements that have room; the newest in part if it alone has none.
    private mutating func fitArray(_ range: Range<Int>, budget: Int, depth: Int) throws(JSONScanError) {
        let room = budget - Self.shortest / 2
        var (count, kept) = (0, 0)
        var start: Int?
        var newest = range
        var walker = JSONWalker(bytes, range: range)
        try walker.elements { (walker) throws(JSONScanError) in
            newest = try walker.skip()
            count += 1
            guard newest.lowerBound >= range.upperBound - room else { return }
            start = start ?? newest.lowerBound
            kept += 1
        }
        let missing = count - max(kept, 1)
        leftOut += missing
        out.append(UInt8(ascii: "["))
        if missing > 0 {
            try appendMark(of: missing, like: newest)
            out.append(UInt8(ascii: ","))
        }
        if let start { out += bytes[start..<range.upperBound - 1] } else { fit(newest, to: room - 2, depth: depth + 1) }
        out.append(UInt8(ascii: "]"))
    }

    /// Writes the mark for missing elements, in the form of such an element: a message, a part of a content, or a text.
    private mutating func appendMark(of missing: Int, like element: Range<Int>) throws(JSONScanError) {
        let mark = "\"…[cut by the gateway: \(missing) left out]\""
        guard bytes[element.lowerBound] == UInt8(ascii: "{") else {
            out += mark.utf8
            return
        }
        var isMessage = false
        var walker = JSONWalker(bytes, range: element)
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "role") { isMessage = true }
        }
        out += (isMessage ? #"{"role":"system","content":\#(mark)}"# : #"{"type":"text","text":\#(mark)}"#).utf8
    }

    /// Keeps the members, each with an equal share of the room; the first ones if there are too many.
    private mutating func fitObject(_ range: Range<Int>, budget: Int, depth: Int) throws(JSONScanError) {
        var large: [Int] = []
        var fixed = 2
        var walker = JSONWalker(bytes, range: range)
        try walker.members { (walker, name) throws(JSONScanError) in
            let size = try walker.skip().count
            fixed += name.count + 4
            if size > Self.shortest { large.append(size) } else { fixed += size }
        }
        let room = budget - Self.shortest / 2
        let share = Self.share(of: room - fixed, among: large)
        let end = out.count + room
        var missing = 0
        out.append(UInt8(ascii: "{"))
        walker = JSONWalker(bytes, range: range)
        try walker.members { (walker, name) throws(JSONScanError) in
            let value = try walker.skip()
            let size = min(value.count, share)
            guard missing == 0, out.count + name.count + 4 + size <= end else {
                missing += 1
                return
            }
            appendComma()
            out += bytes[name.lowerBound - 1...name.upperBound]
            out.append(UInt8(ascii: ":"))
            fit(value, to: size, depth: depth + 1)
        }
        leftOut += missing
        if missing > 0 {
            appendComma()
            out += "\"…\":\"[cut by the gateway: \(missing) left out]\"".utf8
        }
        out.append(UInt8(ascii: "}"))
    }

    private mutating func appendComma() {
        if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
    }

    /// The size up to which each of the values may grow, so that all of them have room; the shortest if there is none.
    private static func share(of room: Int, among sizes: [Int]) -> Int {
        var left = room
        let sorted = sizes.sorted()
        for (index, size) in sorted.enumerated() {
            let share = left / (sorted.count - index)
            if size > share { return max(share, shortest) }
            left -= size
        }
        return .max
    }
}

internal import Common

/// A name without the separators between its words, compared without case. Nothing is copied.
struct FoldedName {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let start: Int
    /// The place before which all belongs to the name.
    private let end: Int

    /// The last bytes that are looked at: a name may be as long as a body.
    private static let longest = 64

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.init(bytes, max(bytes.count - Self.longest, 0)..<bytes.count) }

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        start = range.lowerBound
        var end = range.upperBound
        while end > start, Self.isSeparator(bytes[end - 1]) { end -= 1 }
        self.end = end
    }

    var isEmpty: Bool { end == start }
    var last: UInt8? { isEmpty ? nil : bytes[end - 1].asciiLowercased }

    /// The name before its ending; nil if it ends otherwise.
    func without(_ ending: StaticString) -> FoldedName? {
        ending.withUTF8Buffer { ending in
            var place = end
            for byte in ending.reversed() {
                while place > start, Self.isSeparator(bytes[place - 1]) { place -= 1 }
                guard place > start, bytes[place - 1].asciiLowercased == byte else { return nil }
                place -= 1
            }
            return FoldedName(bytes, start..<place)
        }
    }

    func ends(withOneOf endings: [StaticString]) -> Bool { endings.contains { without($0) != nil } }

    func isOne(of names: [StaticString]) -> Bool { names.contains { without($0)?.isEmpty == true } }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: ".")
    }
}

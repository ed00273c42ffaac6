internal import Common

/// A place in a Redis stream: the id of an entry, milliseconds and a number among them.
struct StreamPosition: Hashable, Comparable, CustomStringConvertible {
    /// Before the first entry.
    static let start = StreamPosition(milliseconds: 0, number: 0)

    var milliseconds: UInt64
    var number: UInt64

    /// The place directly behind this one; the same where ids end.
    var next: StreamPosition {
        if number < .max { return StreamPosition(milliseconds: milliseconds, number: number + 1) }
        return milliseconds < .max ? StreamPosition(milliseconds: milliseconds + 1, number: 0) : self
    }

    var description: String { "\(milliseconds)-\(number)" }

    static func < (left: Self, right: Self) -> Bool {
        (left.milliseconds, left.number) < (right.milliseconds, right.number)
    }
}

extension StreamPosition {
    /// Reads an entry's id as Redis writes it.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1]) else { return nil }
        self.init(milliseconds: milliseconds, number: number)
    }
}

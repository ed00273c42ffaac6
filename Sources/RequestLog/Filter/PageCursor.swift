internal import Text

/// The place at which a page ended, as its store counts places. Clients get it as text and give it back.
package struct PageCursor: Sendable, Equatable {
    /// Further pages hold rows before this place.
    package var place: UInt64
    /// The lower half of a place that takes 128 bits.
    package var rest: UInt64?

    package init(place: UInt64, rest: UInt64? = nil) {
        self.place = place
        self.rest = rest
    }

    /// Reads a text; nil if it is none that a page has given.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let digits = Array(text.utf8.dropFirst(Self.prefix.utf8.count))
        guard digits.count == Self.digits || digits.count == 2 * Self.digits,
            let place = Self.number(digits.prefix(Self.digits))
        else { return nil }
        self.place = place
        guard digits.count > Self.digits else { return }
        guard let rest = Self.number(digits.dropFirst(Self.digits)) else { return nil }
        self.rest = rest
    }

    package var text: String { Self.prefix + Self.text(place) + (rest.map(Self.text) ?? "") }

    private static let prefix = "p1"
    private static let digits = 16

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        // A sign is not a digit.
        guard digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: Self.digits - digits.utf8.count) + digits
    }
}

/// Rows of a log, the newest first.
package struct RowPage<Row: Sendable & Equatable>: Sendable, Equatable {
    package var rows: [Row]
    /// The place at which the next page begins. Nil: there are no further rows. A store that has looked at enough rows
    /// for one page may give fewer than were asked for, even none, and a cursor.
    package var next: PageCursor?

    package init(rows: [Row], next: PageCursor?) {
        self.rows = rows
        self.next = next
    }
}

/// Rows of the request log, without their attempts.
package typealias RequestPage = RowPage<RequestRow>

internal import Text

/// Where a page ended, as its store counts places. Clients get it as text and give it back.
package struct RequestCursor: Sendable, Equatable {
    /// Further pages hold rows before this place.
    package var place: UInt64

    package init(place: UInt64) { self.place = place }

    /// Nil if the text is none that a page has given.
    package init?(_ text: String) {
        guard text.utf8.count == Self.prefix.utf8.count + 16, text.hasPrefix(Self.prefix),
            !text.contains("+"), !text.contains("-"), let place = UInt64(text.dropFirst(Self.prefix.utf8.count), radix: 16)
        else { return nil }
        self.place = place
    }

    package var text: String {
        let digits = String(place, radix: 16)
        return Self.prefix + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static let prefix = "p1"
}

/// Rows of the request log, the newest first, without their attempts.
package struct RequestPage: Sendable, Equatable {
    package var rows: [RequestRow]
    /// Where the next page begins. Nil: there are no further rows. A store that has looked at enough rows for one page
    /// may give fewer than were asked for, even none, and a cursor.
    package var next: RequestCursor?

    package init(rows: [RequestRow], next: RequestCursor?) {
        self.rows = rows
        self.next = next
    }
}

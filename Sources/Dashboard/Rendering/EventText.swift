internal import Common

/// An event of a page's stream (`text/event-stream` of the HTML standard).
package enum EventText {
    /// The page as it is now.
    package static func page(_ html: [UInt8]) -> [UInt8] { event("page", html) }

    /// Asks the browser to load the page anew: the session has ended, or the page has gone.
    package static let reload = event("reload", [])

    /// Says nothing, so that a browser that has gone is noticed.
    package static let comment = Array(":\n\n".utf8)

    /// Each line of the data is one of the event's. CR ends a line as well there.
    private static func event(_ name: String, _ data: [UInt8]) -> [UInt8] {
        var out = Array("event: \(name)\n".utf8)
        out.reserveCapacity(data.count + data.count / 16 + 64)
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            out += Array("data: ".utf8)
            out += line
            out.append(0x0A)
        }
        out.append(0x0A)
        return out
    }
}

/// Reads one server-sent event byte by byte, and says as soon as possible that it is not the one with the usage of a
/// stream. That one is `{"id":…,"choices":[],"usage":{…}}` on a single `data` line.
struct UsageEventProbe: Sendable {
    /// Whether this cannot be the usage any longer.
    private(set) var isOrdinary = false
    private var isClosed = false
    private var hasEmptyChoices = false
    private var hasUsage = false

    /// The number of bytes of `data:` that the line has shown; nil in another line.
    private var prefix: Int? = 0
    private var hasData = false

    private enum Member { case choices, usage, other }

    private var depth = 0
    private var inString = false
    private var isEscaped = false
    private var wantsKey = false
    private var isKey = false
    /// The last eight bytes of the key, and how many it has.
    private var key: (bytes: UInt64, count: Int) = (0, 0)
    private var member = Member.other
    /// Whether the next byte says if `choices` is empty.
    private var isAtFirstChoice = false

    /// Whether the event, which is over, is the usage.
    var isUsage: Bool { !isOrdinary && isClosed && hasEmptyChoices && hasUsage }

    private static let data = Array("data:".utf8)
    private static let otherFields = Array("eir:".utf8)
    private static let choices = packed("choices")
    private static let usage = packed("usage")

    mutating func giveUp() { isOrdinary = true }

    mutating func endLine() { prefix = 0 }

    /// Takes a byte of a line, not of its end.
    mutating func take(_ byte: UInt8) {
        guard !isOrdinary, let matched = prefix else { return }
        guard matched == Self.data.count else {
            guard byte == Self.data[matched] else {
                prefix = nil
                // Before the data may stand `event`, `id`, `retry` or a comment. Any other line is not of this API.
                if matched > 0 || !Self.otherFields.contains(byte) { isOrdinary = true }
                return
            }
            prefix = matched + 1
            if prefix == Self.data.count {
                // The usage stands on one line, as all events of this API do.
                if hasData { isOrdinary = true }
                hasData = true
            }
            return
        }
        inString ? takeInString(byte) : takeToken(byte)
    }

    private mutating func takeInString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
            if isKey { member = key == Self.choices ? .choices : key == Self.usage ? .usage : .other }
            isKey = false
            return
        }
        if isKey { key = (key.bytes << 8 | UInt64(byte), key.count + 1) }
    }

    private mutating func takeToken(_ byte: UInt8) {
        if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { return }
        if depth == 0 {
            // Neither `[DONE]` nor text behind an object is the usage.
            isOrdinary = isClosed || byte != UInt8(ascii: "{")
            (depth, wantsKey) = (1, true)
            return
        }
        if isAtFirstChoice {
            isAtFirstChoice = false
            isOrdinary = byte != UInt8(ascii: "]")
        }
        switch byte {
        case UInt8(ascii: "\""):
            inString = true
            if depth == 1, wantsKey {
                (isKey, wantsKey, key) = (true, false, (0, 0))
            } else if depth == 1, member != .other {
                isOrdinary = true
            }
        case UInt8(ascii: "{"), UInt8(ascii: "["): open(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): close()
        case UInt8(ascii: ","): if depth == 1 { (wantsKey, member) = (true, .other) }
        case UInt8(ascii: ":"): break
        default: if depth == 1, member != .other { isOrdinary = true }
        }
    }

    private mutating func open(_ byte: UInt8) {
        if depth == 1 {
            switch member {
            case .choices:
                isOrdinary = byte != UInt8(ascii: "[")
                isAtFirstChoice = true
            case .usage: isOrdinary = byte != UInt8(ascii: "{")
            case .other: break
            }
        }
        depth += 1
    }

    private mutating func close() {
        depth -= 1
        if depth == 0 { isClosed = true }
        guard depth == 1 else { return }
        if member == .choices { hasEmptyChoices = true }
        if member == .usage { hasUsage = true }
    }

    private static func packed(_ name: String) -> (bytes: UInt64, count: Int) {
        (name.utf8.reduce(0) { $0 << 8 | UInt64($1) }, name.utf8.count)
    }
}

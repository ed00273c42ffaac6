/// Takes the elements of one array out of a JSON object as it comes, a line each, without ever holding more than it
/// must: the array may have a hundred thousand of them. The bytes of an element stay as they are, but for line breaks
/// between its tokens.
struct ElementSplitter: Sendable {
    private enum Place {
        /// Before the array; with what of the object's text may be its name.
        case before
        case within
        case after
    }

    /// `"name":[`, as the gateway writes it.
    private let opening: [UInt8]
    private var matched = 0
    private var place = Place.before
    /// Open brackets and braces below the array.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var hasElement = false
    /// Braces around the array are open.
    private var isClosed = false

    /// Elements that were taken out.
    private(set) var count = 0

    /// - Parameter member: the name of the array, in the object's first level.
    init(member: String) { opening = Array("\"\(member)\":[".utf8) }

    /// Whether the array and the object around it have ended.
    var isAtEnd: Bool { isClosed }

    /// - Returns: the elements that a piece goes on with or ends, each ended by a line break.
    mutating func take(_ piece: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(piece.count)
        for byte in piece {
            switch place {
            case .before: find(byte)
            case .within: element(byte, &out)
            case .after: if byte == UInt8(ascii: "}") { isClosed = true }
            }
        }
        return out
    }

    private mutating func find(_ byte: UInt8) {
        matched = byte == opening[matched] ? matched + 1 : byte == opening[0] ? 1 : 0
        if matched == opening.count { place = .within }
    }

    private mutating func element(_ byte: UInt8, _ out: inout [UInt8]) {
        if isInString {
            out.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                isInString = byte != UInt8(ascii: "\"")
            }
            return
        }
        switch byte {
        case UInt8(ascii: "]") where depth == 0:
            end(&out)
            place = .after
        case UInt8(ascii: ",") where depth == 0: end(&out)
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): return
        default:
            hasElement = true
            out.append(byte)
            isInString = byte == UInt8(ascii: "\"")
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { depth += 1 }
            if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
        }
    }

    private mutating func end(_ out: inout [UInt8]) {
        guard hasElement else { return }
        hasElement = false
        count += 1
        out.append(UInt8(ascii: "\n"))
    }
}

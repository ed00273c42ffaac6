internal import Common

/// Reads one JSON text of an answer (a body, or the data of an event) in the pieces in which it comes. Notes the
/// members that tell a completion from a failure.
///
/// It is lenient about grammar: a client's reader may take `NaN`, and then a failure behind it counts. It keeps names,
/// errors and finish reasons, each bounded, and nothing of the message.
struct ResponseScanner: Sendable {
    /// A place in the text by what its members mean.
    enum Scope: Sendable {
        case top, choices, choice, message
        /// Any other object or array that does not belong to the model's own words.
        case nested
    }

    struct Choice: Sendable {
        var index: Int?
        var finishReason = ""
        /// Whether it holds a message or a part of one.
        var hasMessage = false
    }

    private struct Container {
        var scope: Scope
        var isObject: Bool
        var wantsName: Bool
    }

    /// The depth to which objects and arrays are followed. Deeper ones are passed over.
    private static let depth = 32
    /// Bytes of a name that are kept; longer ones mean nothing here.
    private static let name = 128

    // The findings; `ResponseScanner+members` fills them in.

    /// The first error of the answer or of a choice, as JSON.
    var error: [UInt8]?
    /// The first error that lies elsewhere: a failure only where there is no completion beside it (Azure reports a
    /// filter that did not run so).
    var nestedError: [UInt8]?
    /// Whether the text calls itself an error: `"type":"error"` or `"object":"error"`.
    var isErrorTyped = false
    /// The text's own `message` or `detail`, as JSON.
    var message: [UInt8]?
    var hasChoices = false
    var choices: [Choice] = []

    /// Whether the text is an object.
    private(set) var isObject = false
    /// Whether anything but whitespace has come.
    private(set) var hasBegun = false
    /// Whether the text's one value has ended.
    private(set) var isClosed = false
    /// Whether something follows that value.
    private(set) var hasMore = false

    private var containers: [Container] = []
    /// Objects and arrays that are open within a value that is passed over.
    private var skipped = 0
    private var inString = false
    private var isEscaped = false
    private var inLiteral = false
    private var isName = false
    private var nameBytes: [UInt8] = []
    private var member = Member.other
    private var capture: Member?
    private var captured: [UInt8] = []

    /// Forgets the text, for the next one.
    mutating func reset() {
        // Not `self = ResponseScanner()`: this is done for each event, and the arrays keep their memory.
        error = nil
        nestedError = nil
        message = nil
        (isErrorTyped, hasChoices) = (false, false)
        choices.removeAll(keepingCapacity: true)
        (isObject, hasBegun, isClosed, hasMore) = (false, false, false, false)
        containers.removeAll(keepingCapacity: true)
        (skipped, inString, isEscaped, inLiteral, isName) = (0, false, false, false, false)
        (member, capture) = (.other, nil)
    }

    /// Takes the next bytes of the text.
    mutating func take(_ bytes: [UInt8], _ range: Range<Int>) {
        var place = range.lowerBound
        while place < range.upperBound {
            if inString {
                place = takeString(bytes, from: place, to: range.upperBound)
            } else {
                takeToken(bytes[place])
                place += 1
            }
        }
    }

    /// Ends a number or word that the text ends with.
    mutating func end() { endLiteral() }

    private mutating func takeString(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var place = start
        while place < end {
            let byte = bytes[place]
            place += 1
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
                break
            }
        }
        if isName {
            nameBytes += bytes[start..<(inString ? place : place - 1)].prefix(max(Self.name - nameBytes.count, 0))
        } else if capture != nil {
            keep(bytes[start..<place])
        }
        if !inString { endString() }
        return place
    }

    private mutating func endString() {
        guard isName else {
            if skipped == 0 { endValue() }
            return
        }
        isName = false
        member = Member(nameBytes, in: containers[containers.count - 1].scope)
    }

    private mutating func takeToken(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            endLiteral()
        case UInt8(ascii: "\""):
            inString = true
            if skipped == 0, let last = containers.last, last.isObject, last.wantsName {
                isName = true
                nameBytes.removeAll(keepingCapacity: true)
                containers[containers.count - 1].wantsName = false
            } else {
                if skipped == 0 { beginValue() }
                if capture != nil { keep([byte]) }
            }
        case UInt8(ascii: "{"), UInt8(ascii: "["): open(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): close(byte)
        case UInt8(ascii: ","):
            endLiteral()
            if skipped > 0, capture != nil { keep([byte]) }
            if skipped == 0, let last = containers.indices.last {
                containers[last].wantsName = containers[last].isObject
            }
        case UInt8(ascii: ":"):
            if skipped > 0, capture != nil { keep([byte]) }
        default:
            if skipped == 0, !inLiteral {
                beginValue()
                inLiteral = true
            }
            if capture != nil { keep([byte]) }
        }
    }

    private mutating func open(_ byte: UInt8) {
        endLiteral()
        guard skipped == 0 else {
            skipped += 1
            if capture != nil { keep([byte]) }
            return
        }
        let isObject = byte == UInt8(ascii: "{")
        let isFirst = !hasBegun
        beginValue()
        if isFirst { self.isObject = isObject }
        let scope = isFirst ? (isObject ? Scope.top : .nested) : capture == nil ? inner(isObject: isObject) : nil
        guard let scope, containers.count < Self.depth else {
            skipped = 1
            if capture != nil { keep([byte]) }
            return
        }
        containers.append(Container(scope: scope, isObject: isObject, wantsName: isObject))
    }

    /// The scope of an object or array that begins here; nil if it is passed over.
    private mutating func inner(isObject: Bool) -> Scope? {
        guard let outer = containers.last else { return nil }
        return enter(outer.scope, outer.isObject ? member : .other, isObject: isObject)
    }

    private mutating func close(_ byte: UInt8) {
        endLiteral()
        if skipped > 0 {
            if capture != nil { keep([byte]) }
            skipped -= 1
            if skipped == 0 { endValue() }
            return
        }
        guard !containers.isEmpty else { return }
        containers.removeLast()
        endValue()
    }

    private mutating func beginValue() {
        if containers.isEmpty {
            if hasBegun { hasMore = true }
            hasBegun = true
            return
        }
        guard containers[containers.count - 1].isObject, member.isKept else { return }
        capture = member
        captured.removeAll(keepingCapacity: true)
    }

    private mutating func endLiteral() {
        guard inLiteral else { return }
        inLiteral = false
        endValue()
    }

    private mutating func endValue() {
        if let member = capture {
            capture = nil
            note(member, captured, in: containers.last?.scope ?? .top)
        }
        member = .other
        if containers.isEmpty { isClosed = true }
    }

    private mutating func keep(_ bytes: some Collection<UInt8>) {
        captured += bytes.prefix(SpanLimits.heldEvent - captured.count)
    }
}

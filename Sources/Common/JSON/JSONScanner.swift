/// Walks over JSON bytes once and checks them strictly (RFC 8259), noting only where the outermost members or elements lie.
///
/// Every access is bounds-checked, and nesting is followed without recursion, so that no text can exhaust the stack.
struct JSONScanner {
    let bytes: [UInt8]
    let end: Int
    /// How many objects and arrays may be open at once.
    let maximumDepth: Int
    /// The next byte to read.
    var index: Int
    /// The closing bytes of the objects and arrays that are open, the outermost first.
    private var open: [UInt8] = []

    init(_ bytes: [UInt8], range: Range<Int>, maximumDepth: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies outside of the text")
        self.bytes = bytes
        self.end = range.upperBound
        self.maximumDepth = maximumDepth
        self.index = range.lowerBound
    }

    /// Reads a whole text that must be one object.
    mutating func document() throws(JSONScanError) -> (braces: Range<Int>, members: [JSONObject.Member]) {
        skipWhitespace()
        guard index < end else { throw error(.empty) }
        let start = index
        guard bytes[start] == UInt8(ascii: "{") else {
            if bytes[start..<end].starts(with: [0xEF, 0xBB, 0xBF]) { throw error(.byteOrderMark) }
            // What is no JSON at all is told as that; only a sound text is told to be of the wrong kind.
            let kind = try value()
            try endOfText()
            throw error(.notAnObject(kind), at: start)
        }
        let members = try object()
        let braces = start..<index
        try endOfText()
        return (braces, members)
    }

    /// The most members of an object whose members are listed. A request has a few dozen; a million names are an attack on whoever compares them.
    static let maximumMembers = 10_000

    /// Reads an object from its `{` to behind its `}`.
    mutating func object() throws(JSONScanError) -> [JSONObject.Member] {
        guard try enter(closing: UInt8(ascii: "}")) else { return [] }
        var members: [JSONObject.Member] = []
        var names = JSONNames()
        repeat {
            guard members.count < Self.maximumMembers else { throw error(.tooManyMembers(Self.maximumMembers)) }
            let (key, hasEscapes) = try name()
            try checkUnique(key, among: &names)
            let start = index
            let kind = try value()
            members.append(JSONObject.Member(key: key, value: start..<index, kind: kind, keyHasEscapes: hasEscapes))
        } while try more()
        return members
    }

    /// Reads an array from its `[` to behind its `]`.
    mutating func array() throws(JSONScanError) -> [JSONObject.Element] {
        guard try enter(closing: UInt8(ascii: "]")) else { return [] }
        var elements: [JSONObject.Element] = []
        repeat {
            let start = index
            let kind = try value()
            elements.append(JSONObject.Element(value: start..<index, kind: kind))
        } while try more()
        return elements
    }

    /// Reads one value of any kind with all that it holds.
    private mutating func value() throws(JSONScanError) -> JSONObject.Kind {
        let depth = open.count
        let kind = try kind()
        repeat {
            if open.count > depth, open[open.count - 1] == UInt8(ascii: "}") { _ = try name() }
            if try begin() { continue }
            while open.count > depth, try !more() {}
        } while open.count > depth
        return kind
    }

    /// Reads one value that holds no other, or goes into one that does.
    /// - Returns: Whether it went in: the next byte then begins the first member or element.
    private mutating func begin() throws(JSONScanError) -> Bool {
        switch try kind() {
        case .object: return try enter(closing: UInt8(ascii: "}"))
        case .array: return try enter(closing: UInt8(ascii: "]"))
        case .string: _ = try string()
        case .number: try number()
        case .true: try literal("true")
        case .false: try literal("false")
        case .null: try literal("null")
        }
        return false
    }

    /// What the next byte begins.
    private func kind() throws(JSONScanError) -> JSONObject.Kind {
        guard index < end else { throw unexpected("the text ends where a value should be") }
        switch bytes[index] {
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"): return .true
        case UInt8(ascii: "f"): return .false
        case UInt8(ascii: "n"): return .null
        default: throw unexpected("expected a value")
        }
    }

    /// Reads a member's name and its colon, up to the value.
    private mutating func name() throws(JSONScanError) -> (text: Range<Int>, hasEscapes: Bool) {
        guard index < end, bytes[index] == UInt8(ascii: "\"") else { throw unexpected("expected a name in double quotes") }
        let name = try string()
        skipWhitespace()
        guard index < end, bytes[index] == UInt8(ascii: ":") else { throw unexpected("expected a colon after the name") }
        index += 1
        skipWhitespace()
        return name
    }

    /// Opens an object or array. Returns false when it is empty: it is then closed again.
    private mutating func enter(closing closer: UInt8) throws(JSONScanError) -> Bool {
        guard open.count < maximumDepth else { throw error(.tooDeep(maximumDepth)) }
        index += 1
        skipWhitespace()
        if index < end, bytes[index] == closer {
            index += 1
            return false
        }
        open.append(closer)
        return true
    }

    /// Behind a member or element: goes to the next one, or closes the object or array and returns false.
    private mutating func more() throws(JSONScanError) -> Bool {
        skipWhitespace()
        let closer = open[open.count - 1]
        if index < end, bytes[index] == UInt8(ascii: ",") {
            index += 1
            skipWhitespace()
            return true
        }
        guard index < end, bytes[index] == closer else {
            throw unexpected("expected a comma or \(closer == UInt8(ascii: "}") ? "}" : "]")")
        }
        index += 1
        open.removeLast()
        return false
    }

    private mutating func endOfText() throws(JSONScanError) {
        skipWhitespace()
        guard index == end else { throw unexpected("something follows the end of the value") }
    }

    private func checkUnique(_ key: Range<Int>, among names: inout JSONNames) throws(JSONScanError) {
        guard let name = JSONText.unescaped(bytes[key]) else { throw error(.loneSurrogateInKey, at: key.lowerBound) }
        guard names.insert(name) else { throw error(.duplicateKey(name), at: key.lowerBound) }
    }
}

internal import Common
internal import Policies

/// Goes over JSON once, from token to token, and notes the secrets. It keeps nothing but a list of the objects and
/// arrays that are open, and reads bytes that are not JSON as text.
struct SecretWalk {
    /// The properties of an open object or array.
    struct Frame: OptionSet {
        let rawValue: UInt8

        static let isObject = Self(rawValue: 1)
        /// Strings and numbers in it are secrets.
        static let isSecret = Self(rawValue: 2)
        static let isHeaders = Self(rawValue: 4)
        static let isPlain = Self(rawValue: 8)
        /// A schema of a value that has a secret's name: its default is a secret.
        static let isSecretSchema = Self(rawValue: 16)
        /// Its member `name` is a secret's name, so its member `value` is a secret:
        /// `{"name":"Authorization","value":…}`.
        static let hasSecretName = Self(rawValue: 32)
        static let inherited: Self = [.isSecret, .isHeaders, .isPlain]
    }

    /// The most objects and arrays that are followed, and texts within texts.
    private static let deepest = 1024
    static let deepestLevel = 4

    let text: UnsafeBufferPointer<UInt8>
    let keys: [[UInt8]]
    /// The number of strings within which this text lies.
    let level: Int
    private(set) var edits: [TextEdit] = []
    private var frames: [Frame] = []
    /// The kind of the next value's name, and the name's place.
    private var name = SecretName.plain
    private var nameRange = 0..<0
    private var wantsName = false

    init(_ text: UnsafeBufferPointer<UInt8>, keys: [[UInt8]], level: Int) {
        self.text = text
        self.keys = keys
        self.level = level
    }

    mutating func walk(_ range: Range<Int>, under name: SecretName) {
        self.name = name
        var place = range.lowerBound
        while place < range.upperBound {
            switch text[place] {
            case UInt8(ascii: "\""): place = passString(at: place, before: range.upperBound)
            case UInt8(ascii: "{"), UInt8(ascii: "["): open(at: &place, before: range.upperBound)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = frames.popLast()
                (self.name, wantsName) = (.plain, false)
                place += 1
            case UInt8(ascii: ","):
                self.name = .plain
                wantsName = frames.last?.contains(.isObject) == true
                place += 1
            case UInt8(ascii: ":"), 0...0x20: place += 1
            default: place = passScalar(at: place, before: range.upperBound)
            }
        }
    }

    private var frame: Frame { frames.last ?? [] }

    private mutating func open(at place: inout Int, before end: Int) {
        let isObject = text[place] == UInt8(ascii: "{")
        guard frames.count < Self.deepest else {
            // No document of a client's or a provider's nests so deep. Its content is searched as text.
            place = passText(place + 1..<end)
            return
        }
        var next = frame.intersection(.inherited)
        if isObject { next.insert(.isObject) }
        let isSchema = isObject && name != .plain && SecretSchema.begins(text, at: place, before: end)
        if !frame.contains(.isPlain) {
            switch name {
            case .secret: next.insert(isSchema ? .isSecretSchema : .isSecret)
            case .headers where isObject && !isSchema: next.insert(.isHeaders)
            case .probabilities: next.insert(.isPlain)
            default: break
            }
        }
        frames.append(next)
        (name, wantsName) = (.plain, isObject)
        place += 1
    }

    /// Passes a number, a literal, or bytes that are not JSON.
    private mutating func passScalar(at start: Int, before end: Int) -> Int {
        var place = start
        while place < end, !Self.endsScalar(text[place]) { place += 1 }
        let isNumber = text[start] == UInt8(ascii: "-") || (0x30...0x39).contains(text[start])
        if isNumber, !wantsName, isSecretValue {
            edits.append(TextEdit(range: start..<place, replacement: Array("\"[redacted]\"".utf8)))
        } else if frames.isEmpty {
            return passText(start..<end)
        }
        return place
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: "\""), 0...0x20:
            true
        default: false
        }
    }

    /// Whether the next value is a secret, regardless of its content.
    private var isSecretValue: Bool {
        guard !frame.contains(.isPlain) else { return false }
        return name == .secret || frame.contains(.isSecret)
    }

    private mutating func passText(_ range: Range<Int>) -> Int {
        var finder = SecretFinder(text, keys: keys, isEscaped: false)
        let end = finder.search(range)
        edits += finder.found.map { TextEdit(range: $0) }
        return end
    }

    /// Passes a string, a name or a value.
    private mutating func passString(at start: Int, before end: Int) -> Int {
        var finder = SecretFinder(text, keys: keys, isEscaped: true)
        let stop = finder.search(start + 1..<end)
        let inside = start + 1..<stop
        defer { if wantsName { wantsName = false } }
        if wantsName {
            readName(inside)
            edits += finder.found.map { TextEdit(range: $0) }
        } else if isSecret(inside) {
            if !inside.isEmpty { edits.append(TextEdit(range: inside)) }
        } else if finder.hidesText || (finder.hasEscapes && opensJSON(inside)) {
            edits += editsOfResolved(inside)
        } else {
            edits += finder.found.map { TextEdit(range: $0) }
        }
        if !wantsName, !frames.isEmpty, nameIsName { noteSecretName(inside) }
        return min(stop + 1, end)
    }

    private mutating func readName(_ inside: Range<Int>) {
        nameRange = inside
        guard !frame.contains(.isPlain) else { return }
        if text[inside].contains(UInt8(ascii: "\\")) {
            let resolved = EscapedString(text, inside).text
            name = resolved.withUnsafeBufferPointer { SecretName($0) }
        } else {
            name = SecretName(UnsafeBufferPointer(rebasing: text[inside]))
        }
        if frame.contains(.isSecretSchema), SecretName.isSchemaValue(UnsafeBufferPointer(rebasing: text[inside])) {
            name = .secret
        }
        if frame.contains(.hasSecretName), isName("value") { name = .secret }
    }

    private func isName(_ word: StaticString) -> Bool {
        word.withUTF8Buffer { $0.elementsEqual(text[nameRange]) }
    }

    /// Whether the string is the value of a member `name` or `key`.
    private var nameIsName: Bool { frame.contains(.isObject) && (isName("name") || isName("key")) }

    private mutating func noteSecretName(_ inside: Range<Int>) {
        guard inside.count <= 64, SecretName(UnsafeBufferPointer(rebasing: text[inside])) == .secret else { return }
        frames[frames.count - 1].insert(.hasSecretName)
    }

    /// Whether a string is a secret for its name.
    private func isSecret(_ inside: Range<Int>) -> Bool {
        if isSecretValue { return true }
        guard !frame.contains(.isPlain) else { return false }
        if frame.contains(.isHeaders) {
            return inside.count >= 8 && !SecretName.isHarmlessHeader(UnsafeBufferPointer(rebasing: text[nameRange]))
        }
        switch name {
        case .token:
            return inside.count >= 8 && isOneWord(inside)
                && (inside.count >= 20 || text[inside].contains { !isLetter($0) })
        case .maybe: return inside.count >= 16 && isOneWord(inside) && looksLikeKey(inside)
        default: return false
        }
    }

    private func isOneWord(_ inside: Range<Int>) -> Bool {
        text[inside].allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "\\")
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    private func looksLikeKey(_ inside: Range<Int>) -> Bool {
        let digits = text[inside].count { $0 &- 0x30 < 10 }
        return digits > 0 && digits < inside.count
            && !text[inside].contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
    }

    /// Whether a string holds JSON, as the arguments of a tool's call do.
    private func opensJSON(_ inside: Range<Int>) -> Bool {
        guard level < Self.deepestLevel else { return false }
        var place = inside.lowerBound
        while place < inside.upperBound, text[place] == UInt8(ascii: " ") { place += 1 }
        // Line ends are escaped here.
        while place + 1 < inside.upperBound, text[place] == UInt8(ascii: "\\"), text[place + 1] == UInt8(ascii: "n") {
            place += 2
        }
        return place < inside.upperBound && (text[place] == UInt8(ascii: "{") || text[place] == UInt8(ascii: "["))
    }

    /// The secrets in a string whose escapes have to be resolved before it can be read.
    private func editsOfResolved(_ inside: Range<Int>) -> [TextEdit] {
        let string = EscapedString(text, inside)
        let edits = SecretRedactor.edits(of: ByteSlice(string.text), keys: keys, level: level + 1)
        return edits.isEmpty ? [] : string.edits(edits)
    }
}

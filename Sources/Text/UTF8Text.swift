/// Text as its UTF-8 bytes: two are the same if their bytes are. It is the key of every dictionary and set whose keys
/// can come from outside. Swift's `String` would join `é` with `e` + accent there, and takes quadratic time to hash a
/// run of combining marks.
public struct UTF8Text: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }

    public init(_ text: Substring) { self.text = String(text) }

    public init(stringLiteral text: String) { self.text = text }

    public var description: String { text }

    // The operators of String+bytes.swift.
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8, so that two texts in a row are told apart from others.
        hasher.combine(0xFF as UInt8)
    }
}

extension Set<UTF8Text> {
    package init(texts: some Sequence<String>) { self.init(texts.lazy.map { UTF8Text($0) }) }

    @inlinable package func contains(_ text: some StringProtocol) -> Bool { contains(UTF8Text(String(text))) }

    /// - Returns: whether it was not there yet.
    @discardableResult
    package mutating func insert(_ text: String) -> Bool { insert(UTF8Text(text)).inserted }
}

extension Dictionary where Key == UTF8Text {
    // allowed: what is read here is keyed by bytes from then on
    package init(texts values: [String: Value]) {
        self.init(values.lazy.map { (UTF8Text($0.key), $0.value) }) { first, _ in first }
    }

    @inlinable package subscript(_ name: some StringProtocol) -> Value? {
        get { self[UTF8Text(String(name))] }
        set { self[UTF8Text(String(name))] = newValue }
    }

    @inlinable package subscript(_ name: some StringProtocol, default value: @autoclosure () -> Value) -> Value {
        get { self[UTF8Text(String(name)), default: value()] }
        set { self[UTF8Text(String(name))] = newValue }
    }

    @discardableResult
    package mutating func removeValue(forKey name: String) -> Value? { removeValue(forKey: UTF8Text(name)) }
}

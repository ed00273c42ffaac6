/// One HTTP header field as it travels between the gateway's parts. Names keep their spelling and compare without
/// regard to case.
public struct HeaderField: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public static func == (left: Self, right: Self) -> Bool { left.name == right.name && left.value == right.value }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(UTF8Text(name))
        hasher.combine(UTF8Text(value))
    }
}

// Not of any sequence: what is generic is not specialised in another target.
extension [HeaderField] {
    /// The value of the first field of that name, or nil.
    public func first(named name: String) -> String? {
        first { $0.name.equalsIgnoringASCIICase(name) }?.value
    }
}

extension String {
    /// Whether two header names are the same (RFC 9110 §5.1: field names are case-insensitive).
    package func equalsIgnoringASCIICase(_ other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        // Asked of every header of every request and answer.
        let isSame: Bool?? = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                for place in left.indices where left[place] != right[place] {
                    guard left[place].asciiLowercased == right[place].asciiLowercased else { return false }
                }
                return true
            }
        }
        return (isSame ?? nil) ?? zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    /// The byte with `A`–`Z` made lower case and all others as they are.
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}

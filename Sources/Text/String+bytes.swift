internal import Glibc

/// Comparison by UTF-8 bytes, in place of Swift's own.
///
/// Swift holds two texts for equal that look alike (canonical equivalence: `é`, and `e` with an accent) and takes a
/// letter and the marks behind it for one `Character`. Redis, SQLite, providers and clients compare bytes, so a text
/// from outside must be compared so here too. To normalise a long run of combining marks, as Swift's `==` and
/// `hash(into:)` do, takes quadratic time besides: a megabyte of them stops a loop for minutes.
///
/// These declarations have the names and types of the standard library's. They take their place in all files that
/// import this target, or one that exports it (`Common`, `JSON`, `Redis`, `Upstream`). Generic code does not see them.
/// So the keys of a dictionary or a set and the members of a `Hashable` value are `UTF8Text`, and enumerations are read
/// with `named`.
extension String {
    package static func == (left: String, right: String) -> Bool { left.utf8.isSame(as: right.utf8) }
    package static func != (left: String, right: String) -> Bool { !left.utf8.isSame(as: right.utf8) }
    package static func < (left: String, right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
}

extension Substring {
    package static func == (left: Substring, right: Substring) -> Bool { left.utf8.isSame(as: right.utf8) }
    package static func != (left: Substring, right: Substring) -> Bool { !left.utf8.isSame(as: right.utf8) }
}

extension String? {
    package static func == (left: String?, right: String?) -> Bool {
        switch (left, right) {
        case (let left?, let right?): left.utf8.isSame(as: right.utf8)
        case (nil, nil): true
        default: false
        }
    }

    package static func != (left: String?, right: String?) -> Bool { !(left == right) }

    // For literals, of which Swift would make an optional of its own.
    package static func == (left: String?, right: String) -> Bool { left?.utf8.isSame(as: right.utf8) ?? false }
    package static func != (left: String?, right: String) -> Bool { !(left == right) }
}

extension [String] {
    package static func == (left: [String], right: [String]) -> Bool {
        left.elementsEqual(right) { $0.utf8.isSame(as: $1.utf8) }
    }
    package static func != (left: [String], right: [String]) -> Bool { !(left == right) }
}

extension StringProtocol {
    @inlinable package static func == (left: Self, right: some StringProtocol) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }
    @inlinable package static func != (left: Self, right: some StringProtocol) -> Bool {
        !left.utf8.elementsEqual(right.utf8)
    }
}

/// The operator behind `case "text":`.
package func ~= (pattern: String, text: String) -> Bool { pattern.utf8.isSame(as: text.utf8) }
package func ~= (pattern: Substring, text: Substring) -> Bool { pattern.utf8.isSame(as: text.utf8) }
package func ~= (pattern: String?, text: String?) -> Bool { pattern == text }

extension Sequence<String> {
    package func contains(_ text: String) -> Bool { contains { $0.utf8.isSame(as: text.utf8) } }

    /// In the order of the bytes.
    package func sorted() -> [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}

extension Collection<String> {
    package func firstIndex(of text: String) -> Index? { firstIndex { $0.utf8.isSame(as: text.utf8) } }
}

extension RawRepresentable where RawValue == String, Self: CaseIterable {
    /// The case with that raw value. (`init(rawValue:)` compares as Swift does.)
    @inlinable package static func named(_ text: some StringProtocol) -> Self? {
        allCases.first { $0.rawValue.utf8.elementsEqual(text.utf8) }
    }
}

// For parts of paths and of JSON, which are compared with names by the dozen. What is generic is not specialised in
// another target.

extension Substring.UTF8View {
    /// Whether these are the bytes of a text.
    package func isText(_ text: String) -> Bool { isSame(as: text.utf8) }
}

extension [UInt8] {
    /// Whether these are the bytes of a text.
    package func isText(_ text: String) -> Bool { isSame(as: text.utf8) }
}

extension Collection<UInt8> {
    /// Whether two texts have the same bytes.
    fileprivate func isSame(as other: some Collection<UInt8>) -> Bool {
        guard count == other.count, !isEmpty else { return count == other.count }
        let isSame: Bool?? = withContiguousStorageIfAvailable { left in
            other.withContiguousStorageIfAvailable { right in
                guard let start = left.baseAddress, let otherStart = right.baseAddress else { return false }
                return memcmp(start, otherStart, left.count) == 0
            }
        }
        return (isSame ?? nil) ?? elementsEqual(other)
    }
}

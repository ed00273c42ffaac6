internal import Glibc

/// Searching and cutting by UTF-8 bytes, in place of Swift's own, which goes by `Character`: there `:` and a combining
/// mark behind it are one, so that a text cannot be split at this colon. Declared for both kinds of text, since what is
/// more general would not take the standard library's place.
extension String {
    package func hasPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
    package func hasSuffix(_ suffix: String) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }
    package func contains(_ text: String) -> Bool { self[...].place(of: text) != nil }
    package func contains(_ character: Character) -> Bool { self[...].place(of: String(character)) != nil }
    package func firstIndex(of character: Character) -> Index? { self[...].place(of: String(character)) }
    package func split(
        separator: Character, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        self[...].split(
            separator: separator, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmptySubsequences)
    }
    /// At most so many Unicode scalars.
    package func prefix(_ most: Int) -> Substring { self[...].prefix(most) }
    package func suffix(_ most: Int) -> Substring { Substring(unicodeScalars.suffix(most)) }
    package func dropFirst(_ count: Int = 1) -> Substring { self[...].dropFirst(count) }
    /// With `A`–`Z` made lower case and all else as it is.
    package func lowercased() -> String { self[...].lowercased() }
}

extension Substring {
    package func hasPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
    package func hasSuffix(_ suffix: String) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }
    package func contains(_ text: String) -> Bool { place(of: text) != nil }
    package func contains(_ character: Character) -> Bool { place(of: String(character)) != nil }
    package func firstIndex(of character: Character) -> Index? { place(of: String(character)) }

    package func split(
        separator: Character, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        let separator = String(separator)
        var (parts, rest): ([Substring], Substring) = ([], self)
        while parts.count < maxSplits, let place = rest.place(of: separator) {
            let part = rest[..<place]
            if !part.isEmpty || !omittingEmptySubsequences { parts.append(part) }
            rest = rest[utf8.index(place, offsetBy: separator.utf8.count)...]
        }
        if !rest.isEmpty || !omittingEmptySubsequences { parts.append(rest) }
        return parts
    }

    /// At most so many Unicode scalars.
    package func prefix(_ most: Int) -> Substring { Substring(unicodeScalars.prefix(most)) }
    package func dropFirst(_ count: Int = 1) -> Substring { Substring(unicodeScalars.dropFirst(count)) }
    /// With `A`–`Z` made lower case and all else as it is.
    package func lowercased() -> String {
        String(unsafeUninitializedCapacity: utf8.count) { out in
            var count = 0
            for byte in utf8 {
                out[count] = byte.asciiLowercased
                count += 1
            }
            return count
        }
    }

    /// The place of `text` in this one. It is a character's place, since no character's bytes stand within another's.
    fileprivate func place(of text: String) -> Index? {
        guard let first = text.utf8.first else { return startIndex }
        let count = text.utf8.count
        let offset: Int??? = utf8.withContiguousStorageIfAvailable { bytes in
            text.utf8.withContiguousStorageIfAvailable { needle in
                guard let start = bytes.baseAddress, let searched = needle.baseAddress else { return nil }
                var from = 0
                while bytes.count - from >= count,
                    let found = memchr(start + from, Int32(first), bytes.count - from - count + 1)
                {
                    from = UnsafeRawPointer(found) - UnsafeRawPointer(start)
                    if memcmp(found, searched, count) == 0 { return from }
                    from += 1
                }
                return nil
            }
        }
        return ((offset ?? nil) ?? nil).map { utf8.index(startIndex, offsetBy: $0) }
    }
}

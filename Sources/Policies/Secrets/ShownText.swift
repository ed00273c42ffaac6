package import Common

/// Short texts of a request as others than its client may see them.
package enum ShownText {
    /// The text in the place of a secret.
    private static let mark = "[redacted]"
    /// The most bytes of a text that are shown.
    private static let longest = 512

    /// The entries without secrets: what is one by its key is left out, and what looks like one is replaced.
    /// - Parameter clean: replaces what looks like a secret in a value.
    package static func metadata(
        _ entries: [ResolvedMetadata.Entry], clean: (String) -> String = { beginning(of: $0) }
    ) -> [ResolvedMetadata.Entry] {
        entries.compactMap { entry in
            guard Array(entry.key.utf8).withUnsafeBufferPointer({ SecretName($0) }) != .secret else { return nil }
            return ResolvedMetadata.Entry(entry.key, clean(entry.value), from: entry.origin)
        }
    }

    /// The beginning of a text, such as a path or a model's name, without what looks like a secret.
    package static func beginning(of text: String) -> String {
        // What the cut goes through is searched whole.
        let clean = clean(Array(text.utf8.prefix(2 * longest)))
        return clean.utf8.count > longest ? String(decoding: clean.utf8.prefix(longest), as: UTF8.self) : clean
    }

    private static func clean(_ bytes: [UInt8]) -> String {
        let found = bytes.withUnsafeBufferPointer { text in
            var finder = SecretFinder(text, keys: [], isEscaped: false)
            _ = finder.search(0..<text.count)
            return finder.found
        }
        guard !found.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
        var (out, place): ([UInt8], Int) = ([], 0)
        for range in found {
            out += bytes[place..<range.lowerBound] + Array(mark.utf8)
            place = range.upperBound
        }
        return String(decoding: out + bytes[place...], as: UTF8.self)
    }
}

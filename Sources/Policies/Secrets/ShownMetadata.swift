package import Common

/// Metadata as others than its client may see it.
package enum ShownMetadata {
    /// What stands where a secret was.
    private static let mark = "[redacted]"

    /// The entries without secrets: what is one by its key is left out, and what looks like one is replaced.
    package static func entries(_ entries: [ResolvedMetadata.Entry]) -> [ResolvedMetadata.Entry] {
        entries.compactMap { entry in
            guard Array(entry.key.utf8).withUnsafeBufferPointer({ SecretName($0) }) != .secret else { return nil }
            return ResolvedMetadata.Entry(entry.key, clean(entry.value), from: entry.origin)
        }
    }

    private static func clean(_ value: String) -> String {
        let bytes = Array(value.utf8)
        let found = bytes.withUnsafeBufferPointer { text in
            var finder = SecretFinder(text, keys: [], isEscaped: false)
            _ = finder.search(0..<text.count)
            return finder.found
        }
        guard !found.isEmpty else { return value }
        var (out, place): ([UInt8], Int) = ([], 0)
        for range in found {
            out += bytes[place..<range.lowerBound] + Array(mark.utf8)
            place = range.upperBound
        }
        return String(decoding: out + bytes[place...], as: UTF8.self)
    }
}

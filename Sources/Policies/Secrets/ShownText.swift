package import Common

/// Short texts of a request as others than its client may see them.
package enum ShownText {
    /// What stands where a secret was.
    private static let mark = "[redacted]"
    /// The most bytes of a path that are shown.
    private static let longestPath = 512

    /// The entries without secrets: what is one by its key is left out, and what looks like one is replaced.
    package static func metadata(_ entries: [ResolvedMetadata.Entry]) -> [ResolvedMetadata.Entry] {
        entries.compactMap { entry in
            guard Array(entry.key.utf8).withUnsafeBufferPointer({ SecretName($0) }) != .secret else { return nil }
            return ResolvedMetadata.Entry(entry.key, clean(Array(entry.value.utf8)), from: entry.origin)
        }
    }

    /// The beginning of a path, without what looks like a secret.
    package static func path(_ path: String) -> String {
        guard path != "/chat/completions" else { return path }
        return clean(Array(path.utf8.prefix(longestPath)))
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

/// Finds the word that a mistyped one was probably meant to be.
package enum SpellingSuggestion {
    private static let longestWord = 1024

    /// The candidate with the fewest typing errors, if they are few for the word's length: one for each three
    /// characters, at most `limit`.
    package static func nearest(to word: String, among candidates: some Sequence<String>, limit: Int = 2) -> String? {
        // No name is so long, and a client may send megabytes.
        guard word.utf8.count <= longestWord else { return nil }
        let word = Array(word.utf8.map(\.asciiLowercased))
        let allowed = min(limit, max(1, word.count / 3))
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where abs(candidate.utf8.count - word.count) <= allowed {
            let distance = distance(word, Array(candidate.utf8.map(\.asciiLowercased)))
            if distance <= allowed && distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (the optimal string alignment
    /// distance).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1]
            current.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforePrevious[j - 1] + 1) }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[b.count]
    }
}

package import Common

/// Finds what the operator's rules take out of the logged copy of requests and answers.
package struct ContentRedactor: Sendable {
    /// A place in a text, and what stands there instead.
    package struct Finding: Sendable, Equatable {
        package var range: Range<Int>
        package var replacement: [UInt8]
    }

    /// The text in the place of a preset's finding, and of a pattern's that says nothing else.
    package static let mark = "[redacted]"
    /// The most custom patterns of all rules together.
    package static let patternLimit = 64
    /// The most Unicode scalars of a replacement.
    package static let replacementLimit = 64

    private let presets: [RedactionPreset]
    private let patterns: [(pattern: SearchPattern, replacement: [UInt8])]

    /// - Returns: nil if this version does not know all of it. Then nothing may be shown.
    package init?(_ redaction: LogRedaction) {
        var (presets, patterns): ([RedactionPreset], [(SearchPattern, [UInt8])]) = ([], [])
        for name in redaction.presets {
            guard let preset = RedactionPreset.named(name.text) else { return nil }
            presets.append(preset)
        }
        for pattern in redaction.patterns {
            guard let compiled = try? SearchPattern(pattern.text.text) else { return nil }
            patterns.append((compiled, Array(pattern.replacement.text.utf8)))
        }
        (self.presets, self.patterns) = (presets, patterns)
    }

    /// Steps of patterns that are followed for the texts of one trace, each at one place: a fraction of a second.
    package static let workLimit = 8_000_000

    /// All that is to be taken out of a text, in its order; no two overlap.
    /// - Parameter work: as ``SearchPattern/ranges(in:within:)`` has it.
    package func findings(in text: UnsafeBufferPointer<UInt8>, within work: inout Int) -> [Finding] {
        let mark = Array(Self.mark.utf8)
        var all = presets.flatMap { preset in preset.ranges(in: text).map { Finding(range: $0, replacement: mark) } }
        for (pattern, replacement) in patterns {
            all += pattern.ranges(in: text, within: &work).map { Finding(range: $0, replacement: replacement) }
        }
        guard presets.count + patterns.count > 1 else { return all }
        var merged: [Finding] = []
        // Of those that begin together the longest comes first.
        all.sort { ($0.range.lowerBound, $1.range.upperBound) < ($1.range.lowerBound, $0.range.upperBound) }
        for finding in all {
            if let last = merged.last, last.range.upperBound > finding.range.lowerBound {
                let end = max(last.range.upperBound, finding.range.upperBound)
                merged[merged.count - 1].range = last.range.lowerBound..<end
            } else {
                merged.append(finding)
            }
        }
        return merged
    }
}

internal import Common

/// A rule's id, in which placeholders such as `{user}` stand for a request's own values.
struct RuleName: Sendable {
    private enum Segment: Sendable {
        case text(String)
        case value(RateLimitRule.Dimension)
    }

    /// As the operator wrote it.
    let text: String
    private let segments: [Segment]
    /// Words in braces that stand for nothing.
    private(set) var unknown: [String] = []

    init(_ text: String) {
        self.text = text
        let pieces = text.utf8.split(separator: UInt8(ascii: "{"), omittingEmptySubsequences: false)
        var segments: [Segment] = [.text(String(Substring(pieces[0])))]
        for piece in pieces.dropFirst() {
            let name = piece.prefix { $0 != UInt8(ascii: "}") }
            guard name.endIndex < piece.endIndex else {
                segments.append(.text("{" + String(Substring(piece))))
                continue
            }
            guard let part = RateLimitRule.Dimension(String(Substring(name))) else {
                unknown.append(String(Substring(name)))
                continue
            }
            segments += [.value(part), .text(String(Substring(piece[name.endIndex...].dropFirst())))]
        }
        self.segments = segments
    }

    /// The parts for which its placeholders stand.
    var parts: [RateLimitRule.Dimension] {
        segments.compactMap { if case .value(let part) = $0 { part } else { nil } }
    }

    /// As answers name the rule.
    func filled(for facts: RequestFacts) -> String {
        guard segments.count > 1 else { return text }
        return segments.map { segment in
            switch segment {
            case .text(let text): text
            case .value(let part): HeaderText.cut(part.value(in: facts) ?? "")
            }
        }.joined()
    }
}

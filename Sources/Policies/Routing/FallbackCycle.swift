internal import Common

/// Looks for fallbacks that lead back to where they began.
enum FallbackCycle {
    /// - Returns: the models of a circle, with arrows between them; nil if there is none.
    static func find(in rules: [FallbackRule]) -> String? {
        var next: [UTF8Text: [UTF8Text]] = [:]
        for rule in rules {
            for model in rule.when.models.included {
                next[model, default: []] += rule.targets.map { UTF8Text($0.model.name) }
            }
        }
        var cleared: Set<UTF8Text> = []
        for start in next.keys.sorted() {
            if let path = path(from: start, next: next, cleared: &cleared, taken: []) {
                return path.map(\.text).joined(separator: " → ")
            }
        }
        return nil
    }

    private static func path(
        from model: UTF8Text, next: [UTF8Text: [UTF8Text]], cleared: inout Set<UTF8Text>, taken: [UTF8Text]
    ) -> [UTF8Text]? {
        if let begin = taken.firstIndex(of: model) { return taken[begin...] + [model] }
        guard !cleared.contains(model) else { return nil }
        for following in next[model] ?? [] {
            if let found = path(from: following, next: next, cleared: &cleared, taken: taken + [model]) { return found }
        }
        cleared.insert(model)
        return nil
    }
}

/// A rollout's progress as a bar of coloured parts.
struct ProgressView {
    struct Part {
        var partX: String
        var partWidth: String
        var partTone: String
    }

    var progressText: String
    var parts: [Part] = []
    var progressTone: String
    var verdictText: String
    var traced: String
    var expected: String
    var inFlight: String
    var missing: String
    var failed: String
    var isChecked: Bool

    init(_ progress: RolloutProgress) {
        let whole = Double(progress.expected + progress.failed)
        var start = 0.0
        var told: [String] = []
        let unchecked = progress.isChecked ? 0 : progress.expected - progress.inFlight
        let portions = [
            (progress.isChecked ? progress.traced : 0, "good", "traced"), (unchecked, "quiet", "not checked"),
            (progress.inFlight, "flight", "in flight"), (progress.missing, "bad", "missing"),
            (progress.failed, "warn", "failed"),
        ]
        for (count, tone, word) in portions where count > 0 {
            parts.append(
                Part(
                    partX: SVGText.percent(start, of: whole), partWidth: SVGText.percent(Double(count), of: whole),
                    partTone: tone))
            told.append("\(count) \(word)")
            start += Double(count)
        }
        progressText = told.isEmpty ? "nothing expected" : told.joined(separator: ", ")
        progressTone = progress.tone
        verdictText = progress.verdict ?? "not checked"
        traced = progress.isChecked ? Figures.count(Double(progress.traced)) : "–"
        expected = Figures.count(Double(progress.expected))
        inFlight = Figures.count(Double(progress.inFlight))
        missing = Figures.count(Double(progress.missing))
        failed = Figures.count(Double(progress.failed))
        isChecked = progress.isChecked
    }
}

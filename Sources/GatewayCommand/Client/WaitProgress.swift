/// The display while a rollout is waited for: a bar, counts, how fast it goes and how long it takes yet.
struct WaitProgress: Sendable {
    /// The widths of the bar, of which the first is taken that leaves room for the counts.
    private static let widths = [30, 20, 10, 5]
    /// The number of looks by which the speed is told.
    private static let memory = 15
    private static let gap = "  "
    /// The fewest characters of a reason that are worth showing.
    private static let leastReason = 10

    private var seen: [(at: Duration, traced: Int)] = []

    /// - Parameters:
    ///   - at: since the waiting began.
    ///   - columns: the most characters of the line; nil: any number. What matters least is left out first.
    mutating func line(_ verdict: VerdictResponse, at: Duration, columns: Int? = nil) -> String {
        seen.append((at, verdict.traced))
        if seen.count > Self.memory { seen.removeFirst() }
        let share = verdict.expected > 0 ? Double(verdict.traced) / Double(verdict.expected) : 0
        let percent = "\(Int(share * 100))%"
        let counts = counts(of: verdict)
        guard let columns else {
            return ([Self.bar(share, Self.widths[0]) + " " + percent] + counts).joined(separator: Self.gap)
        }
        for width in Self.widths {
            let line = ([Self.bar(share, width) + " " + percent] + counts).joined(separator: Self.gap)
            if line.count <= columns { return line }
        }
        let short = "\(verdict.traced)/\(verdict.expected)"
        return narrow(
            share, percent: percent, counts: counts, short: short, reason: Self.reason(of: verdict), columns: columns)
    }

    /// A line with the shortest bar and as many counts as there is room for.
    /// - Parameters:
    ///   - short: the first of the counts in fewer characters.
    ///   - reason: the one of the counts that may be cut.
    private func narrow(
        _ share: Double, percent: String, counts: [String], short: String, reason: String?, columns: Int
    ) -> String {
        var line = Self.bar(share, Self.widths.last ?? 1) + " " + percent
        guard line.count <= columns else { return percent.fitting(columns) }
        for (index, count) in counts.enumerated() {
            let part = [count, short].prefix(index == 0 ? 2 : 1).first {
                line.count + Self.gap.count + $0.count <= columns
            }
            guard let part else {
                // The beginning of a reason says something, half a number does not.
                let room = columns - line.count - Self.gap.count
                if count == reason, room >= Self.leastReason { line += Self.gap + count.fitting(room) }
                break
            }
            line += Self.gap + part
        }
        return line
    }

    /// The words beside the bar, the most important first.
    private func counts(of verdict: VerdictResponse) -> [String] {
        var parts = ["\(verdict.traced)/\(verdict.expected) traced"]
        if let reason = Self.reason(of: verdict) { parts.append(reason) }
        if verdict.inFlight > 0 { parts.append("\(verdict.inFlight) in flight") }
        if verdict.missingCount > 0 { parts.append("\(verdict.missingCount) missing") }
        if verdict.failed > 0 { parts.append("\(verdict.failed) failed") }
        if let rate, rate > 0 {
            parts.append(Self.text(rate: rate))
            parts.append("ETA \(Self.text(.seconds(Double(verdict.expected - verdict.traced) / rate)))")
        }
        return parts
    }

    private static func reason(of verdict: VerdictResponse) -> String? {
        verdict.kind == .unknown ? (verdict.reason ?? "the trace store cannot be asked").escapedForTerminal : nil
    }

    private static func bar(_ share: Double, _ width: Int) -> String {
        let filled = min(Int(share * Double(width)), width)
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }

    /// Traces a second, over the last looks; nil while there is only one.
    private var rate: Double? {
        guard let first = seen.first, let last = seen.last, last.at > first.at else { return nil }
        return Double(last.traced - first.traced) / ((last.at - first.at) / .seconds(1))
    }

    /// A speed in whole traces, below one a second with a decimal.
    private static func text(rate: Double) -> String {
        guard rate < 1 else { return "\(Int(rate.rounded()))/s" }
        let tenths = Int((rate * 10).rounded())
        return tenths == 0 ? "<0.1/s" : "\(tenths / 10).\(tenths % 10)/s"
    }

    private static func text(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m \(seconds % 60)s" }
        return seconds < 86_400
            ? "\(seconds / 3600)h \(seconds / 60 % 60)m" : "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
    }
}

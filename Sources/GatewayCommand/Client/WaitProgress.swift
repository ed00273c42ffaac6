/// The display while a rollout is waited for: a bar, counts, how fast it goes and how long it takes yet.
struct WaitProgress: Sendable {
    /// The widths of the bar, of which the first is taken that leaves room for the counts.
    private static let widths = [30, 20, 10, 5]
    /// The number of looks by which the speed is told.
    private static let memory = 15
    private static let gap = "  "

    private var seen: [(at: Duration, traced: Int)] = []

    /// - Parameters:
    ///   - at: since the waiting began.
    ///   - columns: the most characters of the line; nil: any number. What matters least is left out first.
    mutating func line(_ verdict: VerdictAnswer, at: Duration, columns: Int? = nil) -> String {
        seen.append((at, verdict.traced))
        if seen.count > Self.memory { seen.removeFirst() }
        let share = verdict.expected > 0 ? Double(verdict.traced) / Double(verdict.expected) : 0
        let percent = "\(Int(share * 100))%"
        let counts = counts(of: verdict)
        let room = columns ?? .max
        for width in Self.widths {
            let bar = Self.bar(share, width: width) + " " + percent
            if let line = Self.line(bar, counts, isWhole: true, within: room) { return line }
        }
        // The bar says at a glance what the counts say exactly: it stays as long as the first of them fits beside it.
        for width in Self.widths.reversed() {
            let bar = Self.bar(share, width: width) + " " + percent
            if let line = Self.line(bar, counts, isWhole: false, within: room) { return line }
        }
        return (Self.line(percent, counts, isWhole: false, within: room) ?? percent).fitting(room)
    }

    /// What is said beside the bar, the most important first.
    private func counts(of verdict: VerdictAnswer) -> [String] {
        var parts = ["\(verdict.traced)/\(verdict.expected) traced"]
        if verdict.kind == .unknown { parts.append(verdict.reason ?? "the trace store cannot be asked") }
        if verdict.inFlight > 0 { parts.append("\(verdict.inFlight) in flight") }
        if verdict.missingCount > 0 { parts.append("\(verdict.missingCount) missing") }
        if verdict.failed > 0 { parts.append("\(verdict.failed) failed") }
        if let rate, rate > 0 {
            parts.append(Self.text(rate: rate))
            parts.append("ETA \(Self.text(.seconds(Double(verdict.expected - verdict.traced) / rate)))")
        }
        return parts
    }

    /// A line of the bar and the parts that fit behind it.
    /// - Parameter isWhole: whether all of them must fit; else the first one.
    private static func line(_ bar: String, _ parts: [String], isWhole: Bool, within room: Int) -> String? {
        var line = bar
        for (index, part) in parts.enumerated() {
            guard line.count + gap.count + part.count <= room else { return isWhole || index == 0 ? nil : line }
            line += gap + part
        }
        return line
    }

    private static func bar(_ share: Double, width: Int) -> String {
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

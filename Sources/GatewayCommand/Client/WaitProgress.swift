/// The display while a rollout is waited for: a bar, counts, how fast it goes and how long it takes yet.
struct WaitProgress: Sendable {
    private static let width = 30
    /// So many looks the speed is told by.
    private static let memory = 15

    private var seen: [(at: Duration, traced: Int)] = []

    /// - Parameter at: since the waiting began.
    mutating func line(_ verdict: VerdictAnswer, at: Duration) -> String {
        seen.append((at, verdict.traced))
        if seen.count > Self.memory { seen.removeFirst() }
        let share = verdict.expected > 0 ? Double(verdict.traced) / Double(verdict.expected) : 0
        let filled = min(Int(share * Double(Self.width)), Self.width)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        var parts = ["\(bar) \(Int(share * 100))%", "\(verdict.traced)/\(verdict.expected) traced"]
        if verdict.inFlight > 0 { parts.append("\(verdict.inFlight) in flight") }
        if verdict.missingCount > 0 { parts.append("\(verdict.missingCount) missing") }
        if verdict.failed > 0 { parts.append("\(verdict.failed) failed") }
        if let rate, rate > 0 {
            parts.append("\(Int(rate.rounded()))/s")
            parts.append("ETA \(Self.text(.seconds(Double(verdict.expected - verdict.traced) / rate)))")
        }
        if verdict.kind == .unknown { parts.append(verdict.reason ?? "the trace store cannot be asked") }
        return parts.joined(separator: "  ")
    }

    /// Traces a second, over the last looks; nil while there is only one.
    private var rate: Double? {
        guard let first = seen.first, let last = seen.last, last.at > first.at else { return nil }
        return Double(last.traced - first.traced) / ((last.at - first.at) / .seconds(1))
    }

    private static func text(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        return seconds < 60
            ? "\(seconds)s"
            : seconds < 3600 ? "\(seconds / 60)m \(seconds % 60)s" : "\(seconds / 3600)h \(seconds / 60 % 60)m"
    }
}

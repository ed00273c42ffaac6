internal import Common

/// Durations as OpenAI's rate limit headers have them: `6m0s`, `1.5s`, `20ms`.
enum ResetText {
    static func text(ofMilliseconds milliseconds: Int) -> String {
        guard milliseconds >= 1000 else { return "\(max(milliseconds, 0))ms" }
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
        var seconds = String(rest / 1000)
        if rest % 1000 > 0 {
            seconds += "." + String(1000 + rest % 1000).dropFirst()
            while seconds.hasSuffix("0") { seconds.removeLast() }
        }
        let hours = minutes / 60
        return (hours > 0 ? "\(hours)h" : "") + (minutes > 0 ? "\(minutes % 60)m" : "") + seconds + "s"
    }
}

internal import ArgumentParser

/// A duration as a person types it: `90`, `90s`, `10m`, `2h`.
struct TimeSpan: ExpressibleByArgument, Equatable, Sendable {
    /// No question lasts longer.
    private static let longest = 7 * 86_400

    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
        let unit = argument.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? argument[...] : argument.dropLast()), count >= 0, count <= Self.longest,
            count * (unit ?? 1) <= Self.longest
        else { return nil }
        duration = .seconds(count * (unit ?? 1))
    }

    var defaultValueDescription: String { "\(duration.components.seconds)s" }
}

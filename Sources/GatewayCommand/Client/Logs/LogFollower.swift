internal import Common

/// Decides how far back `logs --follow` looks, and which of what it finds is new.
///
/// A row has the time at which its call came in, and is there when the call has ended. So each look sees the last
/// seconds, and every few seconds one sees as far back as calls usually last.
struct LogFollower {
    /// The most rows of one look.
    static let mostRows = 20_000
    /// The reach of a usual look, and that of the others: calls that took longer are not shown.
    static let near = "30s"
    static let far = "10m"
    /// Between two looks that see far.
    static let farEvery = Duration.seconds(15)
    /// For how long a row is remembered that is no longer found.
    static let memory = Duration.seconds(1200)

    private var lastFar: Timestamp
    /// The time at which a row was last found, by its id.
    private var known: [UTF8Text: Timestamp] = [:]

    /// - Parameter rows: those that are not shown any more.
    init(known rows: [some ListedRow], now: Timestamp) {
        lastFar = now
        for row in rows { known[row.id] = now }
    }

    /// The reach of the next look.
    mutating func nextWindow(at now: Timestamp) -> String {
        guard now >= lastFar + Self.farEvery else { return Self.near }
        lastFar = now
        return Self.far
    }

    /// The rows that were not shown yet.
    mutating func news<Row: ListedRow>(in rows: [Row], at now: Timestamp) -> [Row] {
        let news = rows.filter { known[$0.id] == nil }
        for row in rows { known[row.id] = now }
        // What no look has found for so long, none will find again.
        known = known.filter { now.elapsed(since: $0.value) <= Self.memory }
        return news
    }
}

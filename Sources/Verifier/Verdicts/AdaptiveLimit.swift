/// The most to ask for at once, as answers teach: half of what was too much, twice as much after some good answers.
struct AdaptiveLimit: Sendable, Equatable {
    /// After so many good answers more is tried again: what was too much may have been so for a moment only.
    private static let recovery = 8

    private let limit: Int
    private(set) var most: Int
    private var good = 0

    init(limit: Int) { (self.limit, most) = (limit, limit) }

    mutating func recordSuccess() {
        good += 1
        if good % Self.recovery == 0 { most = min(most * 2, limit) }
    }

    /// - Parameter count: was too much.
    mutating func recordExcess(_ count: Int) { (most, good) = (max(count / 2, 1), 0) }
}

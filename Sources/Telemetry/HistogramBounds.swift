/// The upper bounds of a histogram's buckets, ascending. A time's are in seconds.
package struct HistogramBounds: Sendable, Equatable {
    package let values: [Double]

    package init(_ values: [Double]) { self.values = values }

    /// Of the time that a request takes. The first bound beyond `longest` is the last, since what ends at its deadline
    /// ends a little after it: a quantile of such times would else be the longest bound, however long they took.
    package static func times(upTo longest: Duration) -> Self {
        reaching(
            longest, over: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
    }

    /// Of the time until a stream's first token: finer where people notice.
    package static func firstTokens(upTo longest: Duration) -> Self {
        reaching(
            longest,
            over: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60, 120])
    }

    /// Of the time between two tokens of a stream.
    package static let betweenTokens = Self([
        0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 10,
    ])

    private static let long: [Double] = [300, 600, 1200, 3600, 7200, 21_600, 43_200, 86_400, 172_800]

    private static func reaching(_ longest: Duration, over short: [Double]) -> Self {
        let seconds = longest / .seconds(1)
        let all = short + long
        let end = all.firstIndex { $0 > seconds } ?? all.index(before: all.endIndex)
        return Self(Array(all[...end]))
    }
}

internal import Common

/// Numbers over time, as they are drawn.
struct Chart {
    enum Form {
        /// One above the other, for what adds up.
        case bars
        case lines
    }

    struct Series {
        var name: String
        /// Its place in the palette, from 1; or a colour that means something: `good`, `bad`.
        var colour: String
        /// One for each time; nil: there is none.
        var values: [Double?]
        /// The rows behind it.
        var link: String?
        /// The legend's text on it.
        var total: String = ""
    }

    var title: String
    var form: Form
    /// The beginnings of the points.
    var times: [Timestamp]
    /// In milliseconds.
    var interval: UInt64
    var series: [Series]
    /// A value as it is written.
    var show: (Double) -> String
    /// The rows behind a point.
    var link: (_ from: Timestamp, _ to: Timestamp) -> String

    /// Whether there is a number at all.
    var isEmpty: Bool { !series.contains { $0.values.contains { $0 != nil && $0 != 0 } } }

    /// The largest value that has to fit.
    var most: Double {
        switch form {
        case .lines: series.flatMap { $0.values.compactMap { $0 } }.max() ?? 0
        case .bars:
            times.indices.map { place in series.reduce(0) { $0 + ($1.values[place] ?? 0) } }.max() ?? 0
        }
    }
}

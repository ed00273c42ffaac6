/// A metric: its name, its meaning and its form. One has as many series as its labels have values.
package struct MetricDescription: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        case counter
        case gauge
        case histogram(HistogramBounds)

        /// Prometheus' word for it.
        var name: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// As Prometheus has it: base units, `_total` for what only rises.
    package let name: String
    /// One sentence or two.
    package let help: String
    package let form: Form

    package init(_ name: String, _ form: Form, help: String) {
        self.name = name
        self.form = form
        self.help = help
    }
}

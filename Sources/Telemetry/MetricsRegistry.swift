package import CoreMetrics
internal import NIOConcurrencyHelpers
internal import Text

/// swift-metrics' back end: keeps the process's metrics and writes them for Prometheus.
///
/// A series is made once and then observed without a lock and without a look-up, so handles are kept where they are
/// used. A metric of which nothing is described is shown under its own name, without a word of help.
package final class MetricsRegistry: MetricsFactory {
    fileprivate struct Metric {
        let description: MetricDescription
        var series: [(labels: String, series: any Series)] = []
        var places: [UTF8Text: Int] = [:]
    }

    fileprivate struct State {
        var metrics: [Metric] = []
        var places: [UTF8Text: Int] = [:]
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Says what metrics mean. Before the first of their series is made.
    package func describe(_ descriptions: [MetricDescription]) {
        state.withLockedValue { state in
            for description in descriptions where state.places[UTF8Text(description.name)] == nil {
                state.add(Metric(description: description))
            }
        }
    }

    package var descriptions: [MetricDescription] { state.withLockedValue { $0.metrics.map(\.description) } }

    /// The number of series. A histogram counts as one.
    package var seriesCount: Int { state.withLockedValue { $0.metrics.reduce(0) { $0 + $1.series.count } } }

    /// All metrics as they are now.
    package func exposition() -> Exposition {
        let metrics = state.withLockedValue { $0.metrics }
        var exposition = Exposition()
        for metric in metrics where !metric.series.isEmpty {
            exposition.head(of: metric.description)
            for (labels, series) in metric.series {
                series.write(to: &exposition, name: metric.description.name, labels: labels)
            }
        }
        return exposition
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, labels: dimensions, form: .counter) { _ in CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, labels: dimensions, form: .gauge) { _ in GaugeSeries() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, labels: dimensions, form: .gauge) { _ in GaugeSeries() } }
        return series(label, labels: dimensions, form: .histogram(Self.defaultBounds), make: HistogramSeries.init)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, labels: dimensions, form: .histogram(Self.defaultBounds), make: HistogramSeries.init)
    }

    // A series lives as long as the process: a counter that went and came again would seem to have been reset.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private static let defaultBounds = HistogramBounds.times(upTo: .seconds(300))

    /// The series of these labels, made if it is not there. One of a name that is taken by another form of metric is
    /// observed and not shown.
    private func series<Made: Series>(
        _ name: String, labels: [(String, String)], form: MetricDescription.Form, make: (HistogramBounds) -> Made
    ) -> Made {
        let labels = Exposition.labels(labels)
        return state.withLockedValue { state in
            let place =
                state.places[UTF8Text(name)] ?? state.add(Metric(description: MetricDescription(name, form, help: "")))
            var bounds = Self.defaultBounds
            if case .histogram(let described) = state.metrics[place].description.form { bounds = described }
            if let known = state.metrics[place].places[UTF8Text(labels)] {
                return state.metrics[place].series[known].series as? Made ?? make(bounds)
            }
            let made = make(bounds)
            guard state.metrics[place].description.form.name == form.name else { return made }
            state.metrics[place].places[UTF8Text(labels)] = state.metrics[place].series.count
            state.metrics[place].series.append((labels, made))
            return made
        }
    }
}

extension MetricsRegistry.State {
    @discardableResult fileprivate mutating func add(_ metric: MetricsRegistry.Metric) -> Int {
        places[UTF8Text(metric.description.name)] = metrics.count
        metrics.append(metric)
        return metrics.count - 1
    }
}

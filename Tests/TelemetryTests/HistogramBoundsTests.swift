import CoreMetrics
import Testing

@testable import Telemetry

struct HistogramBoundsTests {
    @Test(arguments: [
        (Duration.seconds(300), 600.0), (.seconds(299), 300), (.seconds(120), 300), (.seconds(600), 1200),
        (.seconds(86_400), 172_800), (.milliseconds(300_001), 600),
    ])
    func `the bounds reach beyond the longest time`(longest: Duration, last: Double) {
        for bounds in [HistogramBounds.times(upTo: longest), .firstTokens(upTo: longest)] {
            #expect(bounds.values.last == last)
            #expect(zip(bounds.values, bounds.values.dropFirst()).allSatisfy { $0 < $1 }, "ascending")
            #expect(bounds.values[0] <= 0.005)
        }
    }

    /// With REQUEST_TIMEOUT at 300 s (its default) and above: what takes 400 s is not told as the longest bound.
    @Test(arguments: [300, 420, 600, 3600]) func `the quantile of a 400 second answer is near`(timeout: Int) throws {
        let registry = MetricsRegistry()
        registry.describe([
            MetricDescription("t_seconds", .histogram(.times(upTo: .seconds(timeout))), help: "")
        ])
        Timer(label: "t_seconds", factory: registry).observe(.seconds(400))
        for quantile in [0.5, 0.9, 0.99] {
            let value = try #require(Self.quantile(quantile, RegistryTests.text(registry)))
            #expect(300 < value && value <= 600, "\(quantile): \(value)")
        }
    }

    /// As `histogram_quantile` of Prometheus: linear within the bucket, the last bound for what is beyond it.
    static func quantile(_ quantile: Double, _ text: String) -> Double? {
        var buckets: [(bound: Double, count: Double)] = []
        for line in text.split(separator: "\n") where line.contains("_bucket{") {
            let parts = line.split(separator: "\"")
            guard let count = Double(parts[2].dropFirst(2)) else { return nil }
            buckets.append((parts[1] == "+Inf" ? .infinity : Double(parts[1]) ?? .nan, count))
        }
        guard let total = buckets.last?.count, total > 0 else { return nil }
        let rank = quantile * total
        guard let place = buckets.firstIndex(where: { $0.count >= rank }) else { return nil }
        if buckets[place].bound == .infinity { return buckets[place - 1].bound }
        let (lower, below) = place == 0 ? (0, 0) : buckets[place - 1]
        return lower + (buckets[place].bound - lower) * (rank - below) / (buckets[place].count - below)
    }
}

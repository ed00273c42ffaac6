import CoreMetrics
import TestSupport
import Testing

@testable import Telemetry

struct RegistryTests {
    static let requests = MetricDescription("test_requests_total", .counter, help: "A \\ and\na line.")
    static let seconds = MetricDescription(
        "test_seconds", .histogram(HistogramBounds([0.005, 1, 300, 600])), help: "Seconds.")

    static func text(_ registry: MetricsRegistry) -> String {
        String(decoding: registry.exposition().bytes, as: UTF8.self)
    }

    @Test func `a counter is shown with its labels escaped`() {
        let registry = MetricsRegistry()
        registry.describe([Self.requests])
        let labels = [("path", "a\"b\\c\nd")]
        Counter(label: "test_requests_total", dimensions: labels, factory: registry).increment(by: 3)
        Counter(label: "test_requests_total", dimensions: labels, factory: registry).increment()
        #expect(
            Self.text(registry) == """
                # HELP test_requests_total A \\\\ and\\na line.
                # TYPE test_requests_total counter
                test_requests_total{path="a\\"b\\\\c\\nd"} 4

                """, "two handles of the same labels are one series")
    }

    @Test func `a histogram counts what is up to each bound`() {
        let registry = MetricsRegistry()
        registry.describe([Self.seconds])
        let timer = Timer(label: "test_seconds", factory: registry)
        timer.observe(.milliseconds(5))
        timer.observe(.milliseconds(6))
        timer.observe(.seconds(400))
        timer.observe(.seconds(700))
        #expect(
            Self.text(registry) == """
                # HELP test_seconds Seconds.
                # TYPE test_seconds histogram
                test_seconds_bucket{le="0.005"} 1
                test_seconds_bucket{le="1"} 2
                test_seconds_bucket{le="300"} 2
                test_seconds_bucket{le="600"} 3
                test_seconds_bucket{le="+Inf"} 4
                test_seconds_sum 1100.011
                test_seconds_count 4

                """)
    }

    @Test func `a gauge rises and falls`() {
        let registry = MetricsRegistry()
        let meter = Meter(label: "test_now", factory: registry)
        meter.increment(by: 3)
        meter.decrement()
        #expect(
            Self.text(registry).contains("# TYPE test_now gauge\ntest_now 2\n"),
            "one that is not described is shown too")
        meter.set(-0.5)
        #expect(Self.text(registry).contains("\ntest_now -0.5\n"))
    }

    /// A name has one type in the text format; what contradicts it is not shown twice.
    @Test func `a name has one form`() {
        let registry = MetricsRegistry()
        Counter(label: "test_thing", factory: registry).increment()
        Meter(label: "test_thing", factory: registry).set(Int64(7))
        Timer(label: "test_thing", dimensions: [("a", "b")], factory: registry).recordSeconds(1)
        #expect(Self.text(registry).split(separator: "\n").count == 3)
        #expect(Self.text(registry).hasSuffix("\ntest_thing 1\n"))
    }

    @Test func `many threads lose no observation`() async {
        let registry = MetricsRegistry()
        registry.describe([Self.seconds])
        let counter = Counter(label: "test_requests_total", factory: registry)
        let timer = Timer(label: "test_seconds", factory: registry)
        let meter = Meter(label: "test_now", factory: registry)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        timer.recordMilliseconds(2)
                        meter.increment()
                    }
                }
            }
        }
        let text = Self.text(registry)
        #expect(text.contains("\ntest_requests_total 80000\n"))
        #expect(text.contains("\ntest_seconds_count 80000\n") && text.contains("\ntest_seconds_sum 160\n"))
        #expect(text.contains("\ntest_now 80000\n"))
    }
}

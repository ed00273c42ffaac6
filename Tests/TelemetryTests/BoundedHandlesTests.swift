import CoreMetrics
import TestSupport
import Testing

@testable import Telemetry

struct BoundedHandlesTests {
    @Test func `the first values are told apart`() {
        let handles = BoundedHandles(limit: 2) { $0 }
        #expect(handles["a"] == "a")
        #expect(handles["b"] == "b")
        #expect(handles["c"] == "other")
        #expect(handles["a"] == "a")
    }

    /// A client may send the word itself: it takes no place, and makes no second series.
    @Test func `other is other`() {
        let handles = BoundedHandles(limit: 1) { $0 }
        #expect(handles["other"] == "other")
        #expect(handles["a"] == "a")
        #expect(handles["b"] == "other")
    }

    @Test func `a long value is not shown`() {
        let handles = BoundedHandles(limit: 2) { $0 }
        #expect(handles[String(repeating: "é", count: 65)] == "other")
        #expect(handles[String(repeating: "é", count: 64)] == String(repeating: "é", count: 64))
    }

    /// A release build takes about 20 ns for a counter and less than 100 ns for a histogram. The bound is far above
    /// that, so that a debug build on a busy machine passes; what it finds is a system call that came in.
    @Test func `an observation is cheap`() {
        let registry = MetricsRegistry()
        registry.describe([RegistryTests.seconds])
        let timer = Timer(label: "test_seconds", factory: registry)
        let counter = Counter(label: "test_requests_total", factory: registry)
        let clock = ContinuousClock()
        let count = 200_000
        let took = clock.measure {
            for index in 0..<count {
                timer.recordNanoseconds(Int64(index) * 1000)
                counter.increment()
            }
        }
        #expect(took / count < .microseconds(10), "\(took / count)")
    }
}

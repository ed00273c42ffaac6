internal import Atomics
internal import CoreMetrics

/// The counts of values in each of a few buckets, and their sum.
///
/// Values are kept in millionths: whole numbers are added without a loop, and a sum of times lasts for millennia.
final class HistogramSeries: Series, TimerHandler, RecorderHandler {
    private static let parts = 1_000_000.0

    private let bounds: [Int64]
    private let shownBounds: [String]
    /// One beyond the bounds takes what is above them all.
    private let counts: [ManagedAtomic<UInt64>]
    private let sum = ManagedAtomic<Int64>(0)

    init(_ bounds: HistogramBounds) {
        self.bounds = bounds.values.map { Int64(($0 * Self.parts).rounded()) }
        shownBounds = bounds.values.map(Exposition.text)
        counts = (0...bounds.values.count).map { _ in ManagedAtomic(0) }
    }

    func recordNanoseconds(_ duration: Int64) { observe(duration / 1000) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) { observe(Int64(exactly: (value * Self.parts).rounded()) ?? .max) }

    private func observe(_ value: Int64) {
        var index = 0
        while index < bounds.count, bounds[index] < value { index += 1 }
        counts[index].wrappingIncrement(ordering: .relaxed)
        sum.wrappingIncrement(by: value, ordering: .relaxed)
    }

    func write(to exposition: inout Exposition, name: String, labels: String) {
        var count: UInt64 = 0
        let before = labels.isEmpty ? "" : labels + ","
        for index in 0...bounds.count {
            count += counts[index].load(ordering: .relaxed)
            let bound = index < bounds.count ? shownBounds[index] : "+Inf"
            exposition.sample(name + "_bucket", labels: before + #"le="\#(bound)""#, value: Int64(clamping: count))
        }
        exposition.sample(name + "_sum", labels: labels, value: Double(sum.load(ordering: .relaxed)) / Self.parts)
        exposition.sample(name + "_count", labels: labels, value: Int64(clamping: count))
    }
}

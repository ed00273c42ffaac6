internal import Atomics
internal import CoreMetrics

/// One series of a metric: a value for one set of labels. Any thread may observe without a lock.
protocol Series: AnyObject, Sendable {
    /// Writes the series' samples.
    /// - Parameter labels: as they stand between the braces.
    func write(to exposition: inout Exposition, name: String, labels: String)
}

/// A number that only rises.
final class CounterSeries: Series, CounterHandler {
    private let count = ManagedAtomic<Int64>(0)

    func increment(by amount: Int64) { count.wrappingIncrement(by: amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }

    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels: labels, value: count.load(ordering: .relaxed))
    }
}

/// A number that rises and falls.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    private let bits = ManagedAtomic<UInt64>(0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func record(_ value: Int64) { set(value) }

    func record(_ value: Double) { set(value) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func write(to exposition: inout Exposition, name: String, labels: String) {
        exposition.sample(name, labels: labels, value: Double(bitPattern: bits.load(ordering: .relaxed)))
    }
}

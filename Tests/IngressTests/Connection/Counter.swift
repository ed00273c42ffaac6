import NIOConcurrencyHelpers

/// A number that several tasks change.
final class Counter: Sendable {
    private let box = NIOLockedValueBox(0)

    var value: Int { box.withLockedValue { $0 } }

    func add(_ count: Int) { box.withLockedValue { $0 += count } }
}

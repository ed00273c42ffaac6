internal import NIOConcurrencyHelpers

/// A number that several tasks change.
package final class Counter: Sendable {
    private let box = NIOLockedValueBox(0)

    package init() {}

    package var value: Int { box.withLockedValue { $0 } }

    package func add(_ count: Int = 1) { box.withLockedValue { $0 += count } }
}

internal import NIOConcurrencyHelpers
internal import Text

/// The handles of one label's values, as many as a bound allows: the first values that come have one each, and all
/// later ones share that of `other`. So no client's text makes more series than that, nor longer ones.
package final class BoundedHandles<Handle: Sendable>: Sendable {
    /// Bytes of a value that is shown.
    private static var longest: Int { 128 }

    private let limit: Int
    private let make: @Sendable (_ value: String) -> Handle
    private let known: NIOLockedValueBox<[UTF8Text: Handle]>

    /// - Parameters:
    ///   - limit: the most values with a handle of their own.
    ///   - make: makes a value's handle.
    package init(limit: Int, _ make: @escaping @Sendable (_ value: String) -> Handle) {
        self.limit = limit
        self.make = make
        known = NIOLockedValueBox([:])
    }

    package subscript(_ value: String) -> Handle {
        let isShown = value.utf8.count <= Self.longest
        return known.withLockedValue { known in
            if isShown, let handle = known[UTF8Text(value)] { return handle }
            let count = known.count - (known[Self.other] == nil ? 0 : 1)
            let name = isShown && count < limit ? UTF8Text(value) : Self.other
            if let handle = known[name] { return handle }
            let handle = make(name.text)
            known[name] = handle
            return handle
        }
    }

    private static var other: UTF8Text { UTF8Text(MetricLabel.other) }
}

/// Values that labels have besides those that come.
package enum MetricLabel {
    /// The label of values that have no series of their own.
    package static let other = "other"
    /// The label where there is no value.
    package static let none = "(none)"

    /// `2xx` and its like.
    package static func statusClass(_ status: Int) -> String { statusClasses[statusClassIndex(status)] }

    package static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"]

    package static func statusClassIndex(_ status: Int) -> Int { min(max(status / 100, 1), 5) - 1 }
}

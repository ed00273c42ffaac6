package import Common

/// Tests write an instant as its number of milliseconds.
extension Timestamp: ExpressibleByIntegerLiteral {
    package init(integerLiteral milliseconds: UInt64) { self.init(milliseconds: milliseconds) }
}

extension Timestamp {
    package static func + (time: Self, milliseconds: some BinaryInteger) -> Self {
        time + Duration.milliseconds(milliseconds)
    }

    package static func += (time: inout Self, milliseconds: some BinaryInteger) { time = time + milliseconds }

    package static func - (time: Self, milliseconds: some BinaryInteger) -> Self {
        time - Duration.milliseconds(milliseconds)
    }
}

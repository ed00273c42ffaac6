/// Places values from zero on along an axis whose end is a round number.
struct LinearScale: Equatable {
    /// The value at the axis' end.
    let top: Double
    /// The axis' length.
    let length: Double

    /// - Parameter most: the largest value that has a place; values below zero do not occur.
    init(upTo most: Double, length: Double) {
        top = Self.round(most)
        self.length = length
    }

    /// The place of a value, counted from the axis' end: 0 at the top.
    func place(_ value: Double) -> Double { length - length * min(max(value / top, 0), 1) }

    /// Round numbers, whose halves are round too.
    private static let steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10]

    /// The smallest of these times a power of ten that is not below `value`.
    static func round(_ value: Double) -> Double {
        guard value.isFinite, value > 0 else { return 1 }
        var power = 1.0
        while power * 10 <= value { power *= 10 }
        while power > value { power /= 10 }
        return steps.map { $0 * power }.first { $0 >= value } ?? value
    }
}

/// The values that have certain ranks in the order of all, found without putting all in order.
enum Selection {
    /// Below this many values sorting is as fast.
    private static let few = 32

    /// Moves the values of these ranks to their places.
    /// - Parameter ranks: in order, counted from 0.
    static func place(_ ranks: ArraySlice<Int>, in values: inout [Double]) {
        values.withUnsafeMutableBufferPointer { place(ranks, in: $0, 0..<$0.count) }
    }

    private static func place(
        _ ranks: ArraySlice<Int>, in values: UnsafeMutableBufferPointer<Double>, _ range: Range<Int>
    ) {
        var (ranks, range) = (ranks, range)
        while let first = ranks.first, let last = ranks.last {
            guard range.count > few else {
                values[range].sort()
                return
            }
            let middle = partition(values, range)
            let before = ranks.prefix { $0 < middle.lowerBound }
            let behind = ranks.drop { $0 < middle.upperBound }
            // The larger part of the work is done in this loop, so that calls do not nest deeply.
            if first >= middle.upperBound {
                (ranks, range) = (behind, middle.upperBound..<range.upperBound)
            } else if last < middle.lowerBound {
                (ranks, range) = (before, range.lowerBound..<middle.lowerBound)
            } else {
                place(before, in: values, range.lowerBound..<middle.lowerBound)
                (ranks, range) = (behind, middle.upperBound..<range.upperBound)
            }
        }
    }

    /// Puts what is less than a pivot in front of what equals it, and what is more behind (three-way partition).
    /// - Returns: the places of those that equal it.
    private static func partition(_ values: UnsafeMutableBufferPointer<Double>, _ range: Range<Int>) -> Range<Int> {
        let pivot = medianOfThree(
            first: values[range.lowerBound], middle: values[range.lowerBound + range.count / 2],
            last: values[range.upperBound - 1])
        var (low, place, high) = (range.lowerBound, range.lowerBound, range.upperBound)
        while place < high {
            let value = values[place]
            if value < pivot {
                values.swapAt(low, place)
                low += 1
                place += 1
            } else if value > pivot {
                high -= 1
                values.swapAt(place, high)
            } else {
                place += 1
            }
        }
        return low..<high
    }

    private static func medianOfThree(first: Double, middle second: Double, last third: Double) -> Double {
        max(min(first, second), min(max(first, second), third))
    }
}

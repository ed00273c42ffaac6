internal import Common

extension RateUsage {
    /// Another writer of Redis may have put any number there, and callers calculate with it.
    init(bounding used: Int, _ reset: Int) {
        let numbers = 0...(1 << 53)
        self.init(
            used: min(max(used, numbers.lowerBound), numbers.upperBound),
            reset: min(max(reset, numbers.lowerBound), numbers.upperBound))
    }
}

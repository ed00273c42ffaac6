/// Numbers as Redis's protocol has them: in decimal. They are written without a text in between, since a batch of
/// commands has dozens.
enum RESPNumber {
    /// A sign and the digits of the largest number.
    private static let longest = 20

    /// Calls `body` with a number's digits, and its sign if it is negative.
    static func withDecimal<Result>(_ number: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longest) { text in
            var start = write(number.magnitude, endingAt: longest, in: text)
            if number < 0 {
                start -= 1
                text[start] = UInt8(ascii: "-")
            }
            return body(UnsafeBufferPointer(rebasing: text[start...]))
        }
    }

    /// Calls `body` with a line that tells a length: a mark, the number and the line's end.
    static func withLine<Result>(
        of length: Int, behind mark: UInt8, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longest + 3) { text in
            text[longest + 1] = UInt8(ascii: "\r")
            text[longest + 2] = UInt8(ascii: "\n")
            let start = write(length.magnitude, endingAt: longest + 1, in: text) - 1
            text[start] = mark
            return body(UnsafeBufferPointer(rebasing: text[start...]))
        }
    }

    /// - Returns: the place at which the digits start.
    private static func write(_ number: UInt, endingAt end: Int, in text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var (place, rest) = (end, number)
        repeat {
            place -= 1
            text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        return place
    }
}

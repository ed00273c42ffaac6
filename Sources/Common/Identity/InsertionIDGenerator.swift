internal import Glibc
internal import NIOConcurrencyHelpers

/// Makes insertion ids that strictly increase within a process, also when the clock stands still or goes back.
///
/// RFC 9562 §6.2, method 1: the 12 bits after the time count up within a millisecond; when they run over, or the clock
/// steps back, the time is carried on from the last id. The other 62 bits are random, so ids of different processes do
/// not meet and cannot be guessed.
package final class InsertionIDGenerator: Sendable {
    private struct State {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
        /// Random numbers that no id has yet.
        var random: [UInt64] = []

        mutating func nextRandom() -> UInt64 {
            if random.isEmpty { random = Self.randomNumbers() }
            return random.removeLast()
        }

        /// As many as one call of getentropy(3) gives: 256 bytes.
        private static func randomNumbers() -> [UInt64] {
            var numbers = [UInt64](repeating: 0, count: 32)
            let status = numbers.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
            return status == 0 ? numbers : numbers.map { _ in .random(in: .min ... .max) }
        }
    }

    private let state = NIOLockedValueBox(State())
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp = { .now }) { self.now = now }

    package func next() -> InsertionID {
        let time = now().milliseconds
        let (milliseconds, counter, random) = state.withLockedValue { state in
            let random = state.nextRandom()
            if time > state.milliseconds {
                // The counter starts low, so that a millisecond has room for thousands of ids.
                (state.milliseconds, state.counter) = (time, random & 0xFF)
            } else {
                state.counter += 1
                if state.counter > 0xFFF { (state.milliseconds, state.counter) = (state.milliseconds + 1, 0) }
            }
            return (state.milliseconds, state.counter, random)
        }
        return InsertionID(high: milliseconds << 16 | 7 << 12 | counter, low: 0b10 << 62 | random >> 2)
    }
}

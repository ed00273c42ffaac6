internal import NIOConcurrencyHelpers

/// Makes insertion ids that strictly increase within a process, also when the clock stands still or goes back.
///
/// RFC 9562 §6.2, method 1: the 12 bits after the time count up within a millisecond; when they run over, or the clock steps back, the time is
/// carried on from the last id. The other 62 bits are random, so ids of different processes do not meet and cannot be guessed.
package final class InsertionIDGenerator: Sendable {
    private struct State {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
    }

    private let state = NIOLockedValueBox(State())
    private let now: @Sendable () -> UInt64

    /// - Parameter now: Unix time in milliseconds.
    package init(now: @escaping @Sendable () -> UInt64 = { UnixTime.milliseconds }) {
        self.now = now
    }

    package func next() -> InsertionID {
        let random = UInt64.random(in: .min ... .max)
        let time = now()
        let (milliseconds, counter) = state.withLockedValue { state in
            if time > state.milliseconds {
                // The counter starts low, so that a millisecond has room for thousands of ids.
                state = State(milliseconds: time, counter: random & 0xFF)
            } else {
                state.counter += 1
                if state.counter > 0xFFF {
                    state = State(milliseconds: state.milliseconds + 1, counter: 0)
                }
            }
            return (state.milliseconds, state.counter)
        }
        return InsertionID(high: milliseconds << 16 | 7 << 12 | counter, low: 0b10 << 62 | random >> 2)
    }
}

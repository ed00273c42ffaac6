import Common
import NIOConcurrencyHelpers
import TestSupport

@testable import Verifier

/// Time that passes only by sleeping: a sleep ends at once, and the time is later by it.
final class ManualTime: Sendable {
    private struct State {
        var now: Int64
        /// By how much somebody has put the wall clock.
        var step: Int64 = 0
        var sleeps: [Duration] = []
    }

    private let state: NIOLockedValueBox<State>
    /// Done whenever somebody sleeps.
    let onSleep: NIOLockedValueBox<(@Sendable () async throws -> Void)?> = .init(nil)

    init(_ now: Int64 = Int64(Timestamp.now.milliseconds)) { state = NIOLockedValueBox(State(now: now)) }

    var now: Int64 { state.withLockedValue { $0.now } }
    var sleeps: [Duration] { state.withLockedValue { $0.sleeps } }

    func advance(_ duration: Duration) { state.withLockedValue { $0.now += Int64(duration / .milliseconds(1)) } }

    /// Puts the wall clock forward, or back.
    func step(_ duration: Duration) { state.withLockedValue { $0.step += Int64(duration / .milliseconds(1)) } }

    /// From now on a sleep ends only with its task; `told` is sent at the first.
    func stop(telling told: TestSignal) {
        onSleep.withLockedValue {
            $0 = {
                told.send()
                for await _ in AsyncStream<Void>.makeStream().stream {}
                try Task.checkCancellation()
            }
        }
    }

    var clock: VerifierClock {
        VerifierClock(
            now: { Timestamp(clamping: self.state.withLockedValue { $0.now + $0.step }) }, steady: { self.now },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLockedValue { $0.sleeps.append(duration) }
                self.advance(duration)
                try await self.onSleep.withLockedValue { $0 }?()
            })
    }
}

import NIOConcurrencyHelpers
import Testing

@testable import Common
@testable import Redis
@testable import Verifier

/// Whatever happens in whatever order: a verdict is never `complete` while an id is missing, and it becomes `complete`
/// without anyone's help.
@Suite(.timeLimit(.minutes(5))) struct VerdictPropertyTests {
    private static let runs = 60

    @Test(arguments: 0..<runs)
    func `a verdict is never more than the truth and becomes complete`(_ seed: Int) async throws {
        let isTagged = seed % 4 == 3
        let store = seed % 4 == 1 ? FakeLangfuse(apis: ["v1"], version: "3.0.0") : FakeLangfuse()
        try await VerifierFixture.run(store: store, identity: isTagged ? .tag : .traceID) { fixture in
            let world = VerdictWorld(fixture, seed: seed, isTagged: isTagged)
            store.fault.withLockedValue {
                $0 = { target in target.hasSuffix("/health") ? nil : try await world.step(atStore: true) }
            }
            fixture.time.onSleep.withLockedValue {
                $0 = {
                    _ = try await world.step(atStore: false)
                    if await world.kills() { throw CancellationError() }
                    // What a 429 told counts by the clock of Redis, which does not go by this one.
                    try await fixture.forgetLimits()
                }
            }
            for _ in 0..<8 {
                _ = try await world.step(atStore: false)
                // Two at once, as two processes.
                await withTaskGroup { group in
                    for _ in 0..<2 {
                        group.addTask {
                            _ = try? await fixture.verifier().verify(
                                Rollout("r", project: "local"), patience: fixture.patience(.seconds(20)))
                        }
                    }
                }
                try await world.check()
                try await world.age()
                try await fixture.forgetLimits()
            }
            try await world.calmDown()
            var verdict: Verdict?
            for _ in 0..<200 where verdict?.kind != .complete {
                verdict = try await fixture.verifier().verify(
                    Rollout("r", project: "local"), patience: fixture.patience(.seconds(60)))
                try await world.check()
                try await world.age()
                if verdict == nil { break }
            }
            let size = try await fixture.send("SCARD", "r").int
            #expect(
                verdict == nil ? size == 0 : verdict?.kind == .complete && verdict?.expected == size,
                "\(String(describing: verdict))")
        }
    }
}

extension VerifierFixture {
    func forgetLimits() async throws {
        for bucket in ["public", "legacy"] { try await send("DEL", RateBudget.key(.sample, bucket)) }
    }
}

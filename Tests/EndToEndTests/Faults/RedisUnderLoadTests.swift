import Common
import Redis
import TestSupport
import Testing

/// Redis dies, stands still or forgets its scripts while dozens of clients call (architecture §2.1, §2.7, §2.10).
///
/// The redis-server syncs its append-only file on each write. With `everysec` a server that is killed may lose what it
/// has already confirmed.
@Suite(.timeLimit(.minutes(5)), .serialized) struct RedisUnderLoadTests {
    /// kill -9, and a restart on the same append-only file.
    @Test(arguments: [false, true]) func `a Redis that is killed and comes back loses nothing`(
        inOneProcess: Bool
    ) async throws {
        try await RedisFaultRig.run(inOneProcess: inOneProcess) { rig in
            var snapshots: [RedisFaultLedger.Snapshot] = []
            let outcomes = try await RedisFaultLoad.run(port: rig.port) { load in
                try await load.everyClientSucceeds()
                for _ in 0..<2 {
                    rig.server.kill()
                    try await rig.expectRefusals()
                    try await rig.server.start()
                    snapshots.append(try await rig.snapshot())
                    try await load.everyClientSucceeds()
                }
            }
            let ledger = RedisFaultLedger(outcomes, rig.provider)
            ledger.expectOnlySuccessesAndRefusals()
            for snapshot in snapshots { ledger.expectAccounted(snapshot) }
            ledger.expectRecorded(try await rig.settle())
            RedisFaultLedger(outcomes, rig.provider).expectNoneCalledTwice()
        }
    }

    /// Longer than any of the gateway's waits for Redis, blocking reads included.
    @Test(arguments: [false, true]) func `a Redis that stands still for long loses nothing`(
        inOneProcess: Bool
    ) async throws {
        try await RedisFaultRig.run(inOneProcess: inOneProcess) { rig in
            let outcomes = try await RedisFaultLoad.run(port: rig.port) { load in
                try await load.everyClientSucceeds()
                try await rig.freezeForLong { try await rig.expectRefusals() }
                try await load.everyClientSucceeds()
            }
            let ledger = RedisFaultLedger(outcomes, rig.provider)
            ledger.expectOnlySuccessesAndRefusals()
            ledger.expectRecorded(try await rig.settle())
            RedisFaultLedger(outcomes, rig.provider).expectNoneCalledTwice()
        }
    }

    /// Shorter than the wait for a command: nobody notices.
    @Test func `a Redis that stands still for a moment is waited for`() async throws {
        try await RedisFaultRig.run(commandTimeout: 10_000) { rig in
            let outcomes = try await RedisFaultLoad.run(port: rig.port) { load in
                for _ in 0..<2 {
                    try await load.everyClientSucceeds()
                    try await rig.freezeForAMoment()
                }
                try await load.everyClientSucceeds()
            }
            let ledger = RedisFaultLedger(outcomes, rig.provider)
            ledger.expectOnlySuccesses()
            ledger.expectRecorded(try await rig.settle())
            ledger.expectNoneCalledTwice()
        }
    }

    /// A server that has forgotten all scripts, as after a restart or a failover, is given them again in the middle of
    /// the calls that need them.
    @Test func `forgotten scripts are sent again`() async throws {
        try await RedisFaultRig.run(commandTimeout: 10_000) { rig in
            let outcomes = try await RedisFaultLoad.run(port: rig.port) { load in
                try await withRedisClient(rig.server.endpoint) { redis in
                    for _ in 0..<20 {
                        try await load.successes(10)
                        _ = try await redis.send(RedisCommand("SCRIPT", "FLUSH", "SYNC"))
                    }
                    try await load.everyClientSucceeds()
                    let memory = try await redis.send(RedisCommand("INFO", "memory")).string ?? ""
                    let scripts = memory.split(separator: "\r\n").first { $0.hasPrefix("number_of_cached_scripts:") }
                    let count = scripts.flatMap { Int($0.dropFirst("number_of_cached_scripts:".count)) } ?? 0
                    #expect(count >= 3, "what enqueues, delivers and finishes was learnt again")
                }
            }
            let ledger = RedisFaultLedger(outcomes, rig.provider)
            ledger.expectOnlySuccesses()
            ledger.expectRecorded(try await rig.settle())
            ledger.expectNoneCalledTwice()
        }
    }
}

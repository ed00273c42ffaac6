import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Verifier

/// A rollout of which Redis has lost ids is `unknown`, and never complete with those that are left.
@Suite(.timeLimit(.minutes(5))) struct LostSetTests {
    private static let keys = RolloutActs.keys
    private static let verified = Keys.verified(of: Rollout("r", project: "local"))

    /// What happens to a rollout of three traced completions, of which a verdict was asked before.
    enum Loss: String, CaseIterable, CustomTestStringConvertible {
        case setThenOneMore, setExpiresThenOneMore, setAlone, setAndRecordThenOneMore, setAndCountThenOneMore,
            allButWhatWasSeenThenOneMore
        case oneMember, setAndCount, setThenAllButTheLastFail, setRecordVerdictAndSeenThenOneMore
        var testDescription: String { rawValue }

        var deleted: [String] {
            switch self {
            case .setThenOneMore, .setAlone, .setThenAllButTheLastFail: [keys.set]
            case .setExpiresThenOneMore, .oneMember: []
            case .setAndRecordThenOneMore: [keys.set, keys.record]
            case .setAndCountThenOneMore, .setAndCount: [keys.set, keys.count]
            case .allButWhatWasSeenThenOneMore: [keys.set, keys.record, keys.count, keys.verdict]
            case .setRecordVerdictAndSeenThenOneMore: [keys.set, keys.record, keys.verdict, verified]
            }
        }
    }

    @Test(arguments: Loss.allCases) func `is unknown`(_ loss: Loss) async throws {
        try await VerifierFixture.run { fixture in
            let acts = try await RolloutActs(fixture.redis)
            var ids = try await acts.add(3)
            try await acts.end { _ in false }
            fixture.store.show(ids.map { FakeSpan($0) })
            let before = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience())
            #expect(before?.kind == .complete && before?.expected == 3)
            for key in loss.deleted { try await fixture.send("DEL", key) }
            if loss == .setExpiresThenOneMore { try await fixture.send("PEXPIRE", Self.keys.set, 0) }
            if loss == .oneMember { try await fixture.send("SREM", Self.keys.set, ids[1].description) }
            if loss.rawValue.hasSuffix("OneMore") { ids += try await acts.add() }
            try await acts.end { _ in false }
            fixture.store.show(ids.map { FakeSpan($0) })
            let after = try #require(
                try await fixture.verifier().verify(
                    Rollout("r", project: "local"), patience: fixture.patience(attempts: 1)))
            #expect(after.kind == .unknown && after.isLoss && after.expected >= 3, "\(after)")
            #expect(
                after.reason?.contains("ROLLOUT_TTL_SECONDS") == true
                    && after.reason?.contains("maxmemory-policy") == true)
            #expect(
                try await VerdictStore(redis: fixture.redis, keySpace: .local).verdict(
                    on: Rollout("r", project: "local"))?
                    .kind
                    != .complete)
            let traces = try await fixture.ask("/traces", query: "tags=rollout_id:r&max_retries=0")
            #expect(traces.status == 404 && traces.json?.nested("error")?.text("code") == "rollout_lost")
            #expect(traces.json?.nested("verdict")?.text("verdict") == "unknown")
        }
    }

    /// What is not a loss, by what Redis can know.
    enum Harmless: String, CaseIterable, CustomTestStringConvertible {
        case nothing, countIsLost, recordIsLostAndOneMore, everythingIsLost, countedByNobody, countedInPart,
            theSameIDTwice, oneFails, allFail
        var testDescription: String { rawValue }
    }

    @Test(arguments: Harmless.allCases) func `is complete`(_ change: Harmless) async throws {
        try await VerifierFixture.run { fixture in
            let acts = try await RolloutActs(fixture.redis)
            var ids = change == .countedByNobody ? [] : try await acts.add(3)
            var failed: [InsertionID] = []
            switch change {
            case .nothing: break
            case .countIsLost: try await fixture.send("DEL", Self.keys.count)
            case .recordIsLostAndOneMore:
                try await fixture.send("DEL", Self.keys.record)
                ids += try await acts.add()
            case .everythingIsLost:
                for key in [Self.keys.set, Self.keys.record, Self.keys.count, Self.keys.verdict] {
                    try await fixture.send("DEL", key)
                }
                ids = try await acts.add(2)
            case .countedByNobody, .countedInPart:
                // As an ingress of version 0.1.0 does.
                let others = [fixture.ids.next(), fixture.ids.next()]
                try await fixture.begin(others)
                ids += others
            case .theSameIDTwice: try await acts.add(again: ids[0])
            case .oneFails: failed = [ids[1]]
            case .allFail: failed = ids
            }
            try await acts.end(failed.contains)
            ids.removeAll(where: failed.contains)
            fixture.store.show(ids.map { FakeSpan($0) })
            let verdict = try #require(
                try await fixture.verifier().verify(
                    Rollout("r", project: "local"), patience: fixture.patience(.seconds(400))))
            #expect(verdict.kind == .complete && verdict.expected == ids.count, "\(verdict)")
        }
    }

    @Test func `the count outlives the set`() async throws {
        try await VerifierFixture.run { fixture in
            try await RolloutActs(fixture.redis, life: .seconds(100)).add()
            let lives = [
                try await fixture.send("TTL", Self.keys.set).int ?? 0,
                try await fixture.send("TTL", Self.keys.count).int ?? 0,
            ]
            #expect((90...100).contains(lives[0]) && (190...200).contains(lives[1]))
        }
    }

    /// Completions come and fail, and keys vanish; either the count or the record is never among them. A verdict is
    /// then complete with all ids or not at all.
    @Test(arguments: 0..<25) func `never complete with fewer than were recorded`(_ seed: Int) async throws {
        try await VerifierFixture.run { fixture in
            var random = SeededRandom(seed: UInt64(seed))
            let acts = try await RolloutActs(fixture.redis)
            let knowing = seed.isMultiple(of: 2) ? Self.keys.record : Self.keys.count
            let vanishing = [Self.keys.set, Self.keys.set, knowing, Self.keys.verdict, Self.verified]
            var alive: Set<InsertionID> = []
            var isWhole = true
            for _ in 0..<25 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: alive.formUnion(try await acts.add(Int.random(in: 1...3, using: &random)))
                case 2:
                    var failed: Set<InsertionID> = []
                    try await acts.end { id in
                        if Int.random(in: 0..<3, using: &random) == 0 { failed.insert(id) }
                        return failed.contains(id)
                    }
                    alive.subtract(failed)
                case 3 where Int.random(in: 0..<3, using: &random) == 0:
                    let key = vanishing[Int.random(in: vanishing.indices, using: &random)]
                    let had = try await fixture.send("SCARD", Self.keys.set).int ?? 0
                    try await fixture.send("DEL", key)
                    if key == Self.keys.set, had > 0 { isWhole = false }
                default: fixture.store.show(alive.map { FakeSpan($0) })
                }
                let verdict = try await fixture.verifier().verify(
                    Rollout("r", project: "local"), patience: fixture.patience(attempts: 1))
                guard let verdict, verdict.kind == .complete else { continue }
                #expect(verdict.expected == alive.count, "\(verdict)")
            }
            guard isWhole, !alive.isEmpty else { return }
            try await acts.end { _ in false }
            fixture.store.show(alive.map { FakeSpan($0) })
            fixture.time.advance(.seconds(2))
            let verdict = try await fixture.verifier().verify(
                Rollout("r", project: "local"), patience: fixture.patience(.seconds(400)))
            #expect(verdict == nil || verdict?.kind == .complete)
        }
    }
}

import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Upstream
@testable import Verifier

/// All that goes on around a verifier: completions that begin, end and fail, an exporter, and a trace store that loses,
/// delays and repeats.
actor VerdictWorld {
    private let fixture: VerifierFixture
    private let isTagged: Bool
    private var random: SeededRandom
    private let ids: InsertionIDGenerator
    private var flying: [InsertionID] = []
    private var late: [FakeSpan] = []
    private var visible: Set<InsertionID> = []
    private var begun = 0
    private var isCalm = false
    private(set) var log: [String] = []

    init(_ fixture: VerifierFixture, seed: Int, isTagged: Bool) {
        self.fixture = fixture
        self.isTagged = isTagged
        random = SeededRandom(seed: UInt64(seed))
        let time = fixture.time
        ids = InsertionIDGenerator(now: { Timestamp(clamping: time.now) })
    }

    /// No more completions and no more troubles, but for what is lost on the way.
    func calmDown() async throws {
        isCalm = true
        for id in flying { try await end(id) }
        flying = []
    }

    /// Something happens; then no verdict may say more than is true.
    /// - Returns: what the trace store answers other than its rows.
    func step(atStore: Bool) async throws -> FakeLangfuse.Reply? {
        for _ in 0..<Int.random(in: 0...2, using: &random) { try await act() }
        try await check()
        // Whoever is at work stood still for too long: another one begins beside it.
        if random.chance(percent: 10) {
            try await fixture.send("DEL", Keys.verifying(of: Rollout("r", project: "local")))
        }
        guard atStore, !isCalm else { return nil }
        if random.chance(percent: 12) { return .init(429, body: "{}", headers: [HeaderField("Retry-After", "1")]) }
        if random.chance(percent: 6) { return .init(503) }
        if random.chance(percent: 4) { return .init(422, body: #"{"error":"Request timed out"}"#) }
        if random.chance(percent: 4) { throw UpstreamError(.closedEarly, "cut", requestMayHaveBeenSent: true) }
        return nil
    }

    /// Whether the verifier dies here.
    func kills() -> Bool { !isCalm && random.chance(percent: 8) }

    private func act() async throws {
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where !isCalm && begun < 80: try await begin()
        case 1, 2:
            if !flying.isEmpty { try await end(flying.remove(at: Int.random(in: flying.indices, using: &random))) }
        case 3, 4: try await export()
        default:
            show(late)
            late = []
        }
    }

    private func begin() async throws {
        let new = (0..<Int.random(in: 1...5, using: &random)).map { _ in ids.next() }
        begun += new.count
        flying += new
        try await fixture.begin(new)
        note("begin \(new)")
    }

    private func end(_ id: InsertionID) async throws {
        if random.chance(percent: 20) {
            note("fail \(id)")
            try await fixture.fail(id)
        } else {
            note("finish \(id)")
            try await fixture.finish(id)
        }
    }

    /// Each accepted span is shown, shown later, or lost.
    private func export() async throws {
        for id in try await fixture.export(keeping: 3_600_000 - Int.random(in: 0...30_000, using: &random)) {
            var span = FakeSpan(id)
            if isTagged { span.traceID = "00" + String(id.hex.reversed().prefix(30)) }
            if random.chance(percent: 25) {
                note("lost \(id)")
            } else if random.chance(percent: 40) {
                late.append(span)
            } else {
                show([span])
            }
        }
    }

    private func show(_ spans: [FakeSpan]) {
        for span in spans {
            fixture.store.show([span], copies: random.chance(percent: 20) ? 3 : 1)
            if let tag = span.tags.first(where: { $0.hasPrefix("insertion_id:") }),
                let id = InsertionID(tag.dropFirst(13))
            {
                visible.insert(id)
            }
            note("shown \(span.traceID)")
        }
    }

    /// A verdict that is read as complete names a set of which every id is in the store.
    func check() async throws {
        let replies = try await fixture.redis.send(batch: [
            RedisCommand("HGET", Keys.verdict(of: Rollout("r", project: "local")), "verdict"),
            RedisCommand("SMEMBERS", "r"),
        ])
        guard replies[0].string == "complete" else { return }
        let members = (replies[1].array ?? []).compactMap { $0.string.flatMap { InsertionID($0) } }
        let missing = members.filter { !visible.contains($0) }
        #expect(missing.isEmpty, "complete without \(missing)\n\(log.suffix(60).joined(separator: "\n"))")
    }

    /// Spans grow older by the clock of Redis, which does not go by the test's: what was accepted just now was accepted
    /// a while ago.
    func age() async throws {
        for key in try await fixture.send("KEYS", "gateway/span/*").array ?? [] {
            let (name, life) = (key.string ?? "", try await fixture.send("PTTL", key.string ?? "").int ?? 0)
            if (3_580_000...3_600_000).contains(life) { try await fixture.send("PEXPIRE", name, 3_580_000) }
        }
    }

    private func note(_ text: String) { log.append(text) }
}

import TestSupport
import Testing

@testable import Common
@testable import Queue

/// One run of acts, chosen at random, on the real queue and on its model side by side.
struct QueueModelRun {
    /// The two differ.
    struct Difference: Error {
        let what: String
    }

    /// What a forwarder was given.
    struct Held {
        let job: Job
        let delivery: Delivery
    }

    struct Forwarder {
        let stream: JobStream
        /// What it works on.
        var hand: [Held] = []
        /// What it ever had, for acts that come too late.
        var past: [Held] = []

        var name: String { stream.consumer }
        var running: [String] { hand.map(\.delivery.entry) }
    }

    static let ingresses = ["a", "b"].map { Keys.responses(ingress: $0) }
    /// Small enough to be reached.
    static let mostEntries = 12
    static let mostBytes = 4000
    static let mostDeliveries = 3
    static let mostKept = 1 << 20
    /// A name that something other than a rollout has.
    static let taken = "taken"

    let fixture: QueueFixture
    let rollouts = [("r1", "local"), ("r2", "local"), ("r1", "other")].map {
        KeySpace.local.keys(of: Rollout($0.0, project: $0.1))
    }
    var random: SeededRandom
    var model = QueueModel()
    var forwarders: [Forwarder] = []
    var dead: [Forwarder] = []
    /// What was done, to be printed when something is wrong.
    var history: [String] = []
    private var names = 0
    private var frames = 0

    init(_ fixture: QueueFixture, seed: UInt64) {
        self.fixture = fixture
        random = SeededRandom(seed: seed)
    }

    /// Begins on an empty Redis.
    mutating func begin() async throws {
        try await fixture.send("FLUSHALL")
        try await fixture.send("SET", Self.taken, "a stranger's")
        for key in Self.ingresses { try await attach(key) }
        for _ in 0..<3 { try await join() }
        try await compare()
    }

    mutating func act() async throws {
        let index = random.below(forwarders.count)
        switch random.below(32) {
        case 0..<5: try await enqueue()
        case 5..<8: try await read(index)
        case 8..<11: try await deliver(index)
        case 11..<15: try await finish(index)
        case 15: try await release(index)
        case 16: try await cancel()
        case 17: try await fallSilentOrBeat(index)
        case 18: try await die(index)
        case 19..<21: try await claim(index)
        case 21: try await age()
        case 22: try await lateAct()
        case 23, 24: try await judge()
        case 25..<28: try await enqueueBatch(index)
        case 28: try await deliverBatch(index)
        case 29..<31: try await finishBatch(index)
        default: try await attachOrLose(random.pick(Self.ingresses))
        }
        try await compare()
    }

    mutating func note(_ text: String) { history.append(text) }

    mutating func nextFrame() -> [UInt8] {
        frames += 1
        return Array("frame \(frames)".utf8)
    }

    mutating func nextName() -> String {
        names += 1
        return "f\(names)"
    }

    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        if !condition { throw Difference(what: what()) }
    }
}

import TestSupport

@testable import Common
@testable import Queue
@testable import Redis

/// What ingress and forwarder do with a rollout, by the product's own steps.
struct RolloutActs {
    let redis: RedisClient
    private let admission: JobAdmission
    private let stream: JobStream
    private let ids = InsertionIDGenerator()
    static let keys = KeySpace.local.keys(of: Rollout("r", project: "local"))

    /// - Parameter life: of the rollout's set.
    init(_ redis: RedisClient, life: Duration = .seconds(1000)) async throws {
        self.redis = redis
        admission = JobAdmission(
            redis: redis, envelope: Envelope(key: .random()),
            limits: .init(entries: 1000, bytes: 1 << 30, rolloutTTL: life, spanBytes: 1 << 30),
            keySpace: .local)
        stream = JobStream(consumer: "f", commands: redis, reader: redis, deadLetterLimit: 10)
        _ = try await stream.beat()
        try await stream.join()
    }

    /// Queues completions.
    /// - Parameter id: the same one again.
    @discardableResult
    func add(_ count: Int = 1, again id: InsertionID? = nil) async throws -> [InsertionID] {
        var added: [InsertionID] = []
        for _ in 0..<count {
            let job = Job(
                insertionID: id ?? ids.next(), project: "local",
                rollout: RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "r", row: "w"),
                method: "POST", path: "/chat/completions", deadline: .distantFuture,
                responseKey: Keys.responses(ingress: "here"), body: [])
            guard case .queued = try await admission.enqueue(job) else { throw Unexpected("not queued") }
            added.append(job.insertionID)
        }
        return added
    }

    /// Ends all calls that are queued, each twice: the second time it is nobody's any longer.
    func end(_ hasFailed: (InsertionID) -> Bool) async throws {
        for delivery in try await stream.read(upTo: 100, wait: .milliseconds(1)) {
            guard let id = InsertionID(delivery.insertionID) else { throw Unexpected("no id") }
            let ending = JobStream.Ending(
                removeFrom: hasFailed(id) ? Self.keys : nil,
                span: .init(project: "local", sealed: [0], life: .seconds(1000)))
            for isOurs in [true, false] {
                let done = try await stream.finish(delivery, id: id, responseKey: nil, sealed: nil, ending: ending)
                guard done == isOurs else { throw Unexpected("\(done)") }
            }
        }
    }
}

import Common
import Redis
import TestSupport
import Upstream

@testable import Queue

/// A forwarder that the test plays: it takes jobs off the real queue and answers with the frames that the test gives
/// it.
struct ScriptedForwarder: Sendable {
    /// A job that this forwarder owns.
    struct Taken: Sendable {
        var job: Job
        fileprivate var delivery: Delivery
    }

    private let stream: JobStream
    let envelope: Envelope

    /// - Parameters:
    ///   - commands: a client for everything that answers at once.
    ///   - reader: a client of its own for waiting.
    ///   - queue: that of the verifiers, for one of these instead.
    init(commands: RedisClient, reader: RedisClient, envelope: Envelope, queue: WorkQueue = .completions) {
        stream = JobStream(
            queue, consumer: ProcessName.random(), commands: commands, reader: reader, deadLetterLimit: 10)
        self.envelope = envelope
    }

    /// Joins the group and counts as alive for 15 seconds.
    func join() async throws {
        try await stream.join()
        _ = try await stream.beat()
    }

    /// No longer counts as alive.
    func leave() async throws { try await stream.leave() }

    /// There was no job in time: the request was probably refused, and its client knows why.
    struct NoJob: Error {}

    /// Waits for the next job, a minute at most.
    func take() async throws -> Taken {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            try Task.checkCancellation()
            guard ContinuousClock.now < end else { throw NoJob() }
            if let delivery = try await read().first {
                return Taken(job: try delivery.job(opening: envelope), delivery: delivery)
            }
        }
    }

    /// What is there; nothing as long as this connection is not back to a Redis that was away.
    private func read() async throws -> [Delivery] {
        do {
            return try await stream.readKeys(of: try await stream.read(upTo: 1, wait: .seconds(1)))
        } catch  where error.serverCode == nil {
            await Task.yield()
            return []
        }
    }

    /// Sends a frame in the middle of an answer.
    func send(_ frame: ResponseFrame, of taken: Taken) async throws {
        _ = try await stream.deliver(
            seal(frame, of: taken), of: taken.job, in: taken.delivery, markerTTL: .seconds(300))
    }

    /// Ends a job with its last frame.
    func finish(_ taken: Taken, with frame: ResponseFrame) async throws {
        _ = try await stream.finish(
            taken.delivery, id: taken.job.insertionID, responseKey: taken.job.responseKey,
            sealed: seal(frame, of: taken),
            ending: .init(
                answerLife: taken.job.answerLife,
                reservation: taken.job.isFetchable ? KeptBytes.Reservation(of: taken.job) : nil))
    }

    /// Answers a job with a single frame.
    func answer(
        _ taken: Taken, status: Int = 200, headers: [HeaderField] = [HeaderField("content-type", "application/json")],
        body: String
    ) async throws {
        let head = UpstreamHead(status: status, headers: headers)
        try await finish(taken, with: ResponseFrame(sequence: 0, head: head, body: Array(body.utf8), end: .complete))
    }

    /// Takes `count` jobs, one after the other, and answers each with the body that `reply` makes.
    func answer(next count: Int, _ reply: (Job) -> String) async throws {
        for _ in 0..<count {
            let taken = try await take()
            try await answer(taken, body: reply(taken.job))
        }
    }

    private func seal(_ frame: ResponseFrame, of taken: Taken) throws -> [UInt8] {
        try taken.job.answerEnvelope(envelope).seal(frame.wireBytes, for: .frame(taken.job.insertionID))
    }
}

import NIOCore
import TestSupport

@testable import Common
@testable import Queue
@testable import Redis

/// Steps that leave in one script, because they are submitted in one turn of the event loop.
extension QueueFixture {
    /// Waits for what a step calls back with.
    typealias Completion<Value> = @Sendable (Result<Value, RedisError>) -> Void

    /// Does something so many times in one turn of the event loop, and waits for all results.
    func inOneTurn<Value: Sendable>(
        _ count: Int, _ submit: @escaping @Sendable (_ place: Int, @escaping Completion<Value>) throws -> Void
    ) async throws -> [Result<Value, RedisError>] {
        let loop = redis.eventLoop
        let promises = (0..<count).map { _ in loop.makePromise(of: Result<Value, RedisError>.self) }
        try await loop.submit {
            for (place, promise) in promises.enumerated() { try submit(place) { promise.succeed($0) } }
        }.get()
        var results: [Result<Value, RedisError>] = []
        for promise in promises { results.append(try await promise.futureResult.get()) }
        return results
    }

    /// Queues jobs in one script.
    /// - Parameter consumers: for each job the consumer that is given an entry; nil: none is for any of them.
    func enqueue(
        _ jobs: [Job], givingTo consumers: [String?]? = nil, by admission: JobAdmission? = nil
    ) async throws -> [Result<JobAdmission.Reply, RedisError>] {
        let admission = admission ?? self.admission()
        return try await inOneTurn(jobs.count) { place, completion in
            try admission.enqueue(jobs[place], givingTo: consumers?[place], completion: completion)
        }
    }

    /// Queues jobs in one script, gives all of them to a consumer of an empty queue, and returns what it was given.
    func give(_ jobs: [Job], to consumer: String) async throws -> [Delivery] {
        try await enqueue(jobs, givingTo: jobs.map { _ in consumer }).map { result in
            guard case .this(let delivery) = try result.get().given else { throw NotGiven() }
            return delivery
        }
    }

    /// The end of a job, as an act of a batch.
    struct End: Sendable {
        let job: Job
        var delivery: Delivery
        var responseKey: String?
        var sealed: [UInt8]?
        var ending = JobStream.Ending()
    }

    /// Ends jobs in one script.
    func finish(_ ends: [End], by stream: JobStream) async throws -> [Result<Bool, RedisError>] {
        try await inOneTurn(ends.count) { place, completion in
            let end = ends[place]
            stream.finish(
                end.delivery, id: end.job.insertionID, responseKey: end.responseKey ?? end.job.responseKey,
                sealed: end.sealed,
                ending: end.ending, completion: completion)
        }
    }

    /// Sends frames in one script.
    func deliver(
        _ frames: [(frame: [UInt8], job: Job, delivery: Delivery)], by stream: JobStream
    ) async throws -> [Result<Bool, RedisError>] {
        try await inOneTurn(frames.count) { place, completion in
            let (frame, job, delivery) = frames[place]
            stream.deliver(frame, of: job, in: delivery, markerTTL: .seconds(300)) { result in
                completion(result.map { $0 != .lost })
            }
        }
    }

    /// How often Redis has executed a script.
    func executions() async throws -> Int {
        let text = try await send("INFO", "commandstats").string ?? ""
        let calls = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("cmdstat_eval") }
        return calls.compactMap { $0.split(separator: "=").dropFirst().first?.prefix { $0 != "," } }.compactMap {
            Int($0)
        }.reduce(0, +)
    }

    struct NotGiven: Error {}
}

extension Result<JobAdmission.Reply, RedisError> {
    var outcome: JobAdmission.Outcome? { if case .success(let reply) = self { reply.outcome } else { nil } }
    var given: JobAdmission.Reply.Given? { if case .success(let reply) = self { reply.given } else { nil } }
}

extension Result where Failure == RedisError {
    /// The server's code word, if it refused.
    var refusal: String? { if case .failure(let error) = self { error.serverCode } else { nil } }
}

extension Result<Bool, RedisError> {
    var isOwner: Bool? { if case .success(let isOwner) = self { isOwner } else { nil } }
}

package import Common
package import Redis

/// The way onto the queue. One round trip records the insertion id, queues the job and checks the bounds (architecture §2.1).
package struct JobAdmission: Sendable {
    package struct Limits: Sendable {
        /// Entries on the stream, running ones included.
        package var entries: Int
        /// Bytes of their payloads. A single job is let in whatever its size, if the queue is empty.
        package var bytes: Int
        /// How long a rollout's set lives after its last write.
        package var rolloutTTL: Duration
        /// Bytes of spans that wait for their export. From then on no completion of a rollout is let in, since its trace could not be kept.
        package var spanBytes: Int
        /// How many rollouts a project's list keeps; the oldest go first.
        package static let listedRollouts = 10_000

        package init(entries: Int, bytes: Int, rolloutTTL: Duration, spanBytes: Int) {
            self.spanBytes = spanBytes
            self.entries = entries
            self.bytes = bytes
            self.rolloutTTL = rolloutTTL
        }
    }

    package enum Outcome: Sendable, Equatable {
        /// - Parameter length: entries on the stream, this one included.
        case queued(length: Int)
        case tooManyEntries
        case tooManyBytes
        /// The request is one that was made before, and this is its job. Nothing new was queued.
        case repeats(InsertionID)
        /// Another request was made under the same idempotency key.
        case anotherRequest
        /// Redis holds something else than a set of ids under the rollout's name.
        case notASet
        /// Too many spans wait for their export.
        case tooManySpans
        /// The server executed the command when nobody waited for it any longer. Nothing was queued.
        case tooLate
    }

    /// What is given in a reply is begun so long before it counts as lost.
    private static let margin = Duration.seconds(2)

    private let queue: WorkQueue
    private let redis: RedisClient
    private let envelope: Envelope
    private let limits: Limits
    private let defaultProject: String
    private let clock: ServerClock
    private let renewed = RenewedRollouts()

    package init(
        _ queue: WorkQueue = .completions, redis: RedisClient, envelope: Envelope, limits: Limits, defaultProject: String
    ) {
        self.init(queue, redis: redis, envelope: envelope, limits: limits, defaultProject: defaultProject, clock: ServerClock())
    }

    init(
        _ queue: WorkQueue = .completions, redis: RedisClient, envelope: Envelope, limits: Limits, defaultProject: String, clock: ServerClock
    ) {
        self.queue = queue
        self.redis = redis
        self.envelope = envelope
        self.limits = limits
        self.defaultProject = defaultProject
        self.clock = clock
    }

    /// Queues a job. If the worker in this process has a free slot, the same step gives it the oldest job of the queue:
    /// this one, if none waits.
    /// - Parameters:
    ///   - local: the worker.
    ///   - client: takes the answer of a job that is worked on in this process; nil: job and answer go over Redis.
    /// - Throws: `RedisError`; if `mayHaveBeenExecuted`, the job may be queued all the same, and whoever gives it up must cancel it.
    package func enqueue(_ job: Job, on local: LocalWorker? = nil, for client: (any LocalClient)? = nil) async throws -> Outcome {
        guard let client, let slot = local?.reserve() else { return try await enqueue(job, givingTo: nil).outcome }
        do {
            let reply = try await enqueue(job, givingTo: slot.consumer)
            switch reply.given {
            case .this(let delivery): slot.start(delivery, for: client)
            case .older(let delivery): slot.start(older: delivery)
            case nil: slot.giveUp()
            }
            return reply.outcome
        } catch {
            slot.giveUp()
            throw error
        }
    }

    /// What the script says.
    struct Reply {
        /// The job that the consumer was given.
        enum Given {
            case this(Delivery)
            case older(Delivery)
        }

        var outcome: Outcome
        var given: Given?
    }

    /// - Parameter consumer: takes the oldest job of the queue in the same step; nil: none is taken.
    func enqueue(_ job: Job, givingTo consumer: String?) async throws -> Reply {
        let sealed = try envelope.seal(job.wireBytes, for: .job(job.insertionID, on: queue))
        let timeout = redis.endpoint.commandTimeout
        let asked = ContinuousClock.now
        var reply = try await enqueue(job, sealed, givingTo: consumer, until: clock.time(in: timeout))
        if reply.outcome == .tooLate, asked.duration(to: .now) < timeout {
            // We still wait, so what was late is our idea of the server's clock: it has been set. It is known better
            // now.
            reply = try await enqueue(job, sealed, givingTo: consumer, until: clock.time(in: timeout))
        }
        // What was given to this process while it stood still may be another's by now, and made. What is not is given
        // to it again.
        if asked.duration(to: .now) >= JobStream.lostAfter - Self.margin { reply.given = nil }
        return reply
    }

    private func enqueue(_ job: Job, _ sealed: [UInt8], givingTo consumer: String?, until latest: Int?) async throws(RedisError) -> Reply {
        let asked = ContinuousClock.now
        let rollout = job.rollout.map { RolloutKeys($0.rollout, project: job.project, defaultProject: defaultProject) }
        var keys = [
            queue.stream, queue.bytes, Keys.traceBytes, rollout?.set ?? "", rollout?.verdict ?? "", rollout?.record ?? "", rollout?.list ?? "",
            rollout?.count ?? "",
        ]
        if job.isFetchable {
            keys.append(Keys.record(job.insertionID))
            // Only an answer that is kept can be had again.
            if let idempotency = job.idempotency { keys.append(idempotency.key) }
        }
        let now = UnixTime.milliseconds
        let life = max(Int(clamping: job.deadline) - Int(clamping: now), 0) + Int(job.answerLife.milliseconds)
        // Looked up once: the arguments are made again for a server that does not know the script.
        let renews = rollout.map { renewed.isDue($0.set) } ?? false
        let reply = try await redis.evaluate(JobScripts.enqueue, keys: keys) { command in
            command.append(job.insertionID.description)
            command.append(sealed)
            for number in [limits.entries, limits.bytes, Int(limits.rolloutTTL.components.seconds)] { command.append(number) }
            for text in [job.project, job.account ?? "", String(now), String(job.deadline)] { command.append(text) }
            command.append(life)
            command.append(job.idempotency?.fingerprint ?? [])
            command.append(Int(Idempotency.life.milliseconds))
            command.append(latest.map(String.init) ?? "")
            for number in [limits.spanBytes, Limits.listedRollouts] { command.append(number) }
            let ids = job.rollout.map { [$0.rollout, $0.invocation, $0.experiment, $0.run] } ?? ["", "", "", ""]
            for text in ids + [queue.group, consumer ?? "", renews ? "1" : ""] { command.append(text) }
        }
        let outcome = Outcome(reply[0])
        if let time = reply[1].int { clock.learn(time, asked: asked, isCertain: outcome == .tooLate) }
        guard let entry = reply[2].string else { return Reply(outcome: outcome) }
        guard reply[3].isNull else {
            return Reply(outcome: outcome, given: .older(Delivery(entry: reply[2], fields: reply[3], on: queue, count: 1, isTakenOver: false)))
        }
        return Reply(outcome: outcome, given: .this(Delivery(job, entry: entry, on: queue, size: sealed.count)))
    }
}

extension JobAdmission.Outcome {
    /// Reads what the script says.
    fileprivate init(_ result: RedisValue) {
        if let id = result.string.flatMap({ InsertionID($0) }) {
            self = .repeats(id)
            return
        }
        switch result.int ?? 0 {
        case -1: self = .tooManyEntries
        case -2: self = .tooManyBytes
        case -3: self = .notASet
        case -4: self = .anotherRequest
        case -5: self = .tooLate
        case -6: self = .tooManySpans
        case let length: self = .queued(length: length)
        }
    }
}

package import Common
package import Redis

/// The way onto the queue. One round trip records the insertion id, queues the job and checks the bounds (architecture
/// §2.1).
package struct JobAdmission: Sendable {
    package struct Limits: Sendable {
        /// Entries on the stream, running ones included.
        package var entries: Int
        /// Bytes of their payloads. A single job of any size is let in, if the queue is empty.
        package var bytes: Int
        /// The lifetime of a rollout's set after its last write.
        package var rolloutTTL: Duration
        /// Bytes of spans that wait for their export. From then on no completion of a rollout is let in, since its
        /// trace could not be kept.
        package var spanBytes: Int
        /// Bytes that are kept for later. From then on no job is let in whose answer is to be kept.
        package var keptBytes: Int
        /// The number of rollouts that a project's list keeps; the oldest go first.
        package static let listedRollouts = 10_000

        package init(
            entries: Int, bytes: Int, rolloutTTL: Duration, spanBytes: Int, keptBytes: Int = .max
        ) {
            self.spanBytes = spanBytes
            self.keptBytes = keptBytes
            self.entries = entries
            self.bytes = bytes
            self.rolloutTTL = rolloutTTL
        }
    }

    package enum Outcome: Sendable, Equatable {
        /// - Parameters:
        ///   - length: entries on the stream, this one included.
        ///   - usage: of each of the job's charges.
        case queued(length: Int, usage: [RateUsage] = [])
        case tooManyEntries
        case tooManyBytes
        /// The request is one that was made before, and this is its job. Nothing new was queued.
        case repeats(InsertionID)
        /// Another request was made under the same idempotency key.
        case anotherRequest
        /// Redis holds something other than a set of ids under the rollout's name.
        case notASet
        /// Too many spans wait for their export.
        case tooManySpans
        /// There is no room to keep the job's answer.
        case tooMuchKept
        /// A rate limit would be passed. Nothing was counted on any.
        /// - Parameters:
        ///   - charge: the place of the first of the job's charges that is over its limit.
        ///   - usage: of its counter, and until all of the job's charges fit.
        case overLimit(charge: Int, RateUsage)
        /// The server executed the command after its sender had stopped waiting. Nothing was queued.
        case tooLate
    }

    /// A job that is given in a reply is begun at least this long before it counts as lost.
    private static let margin = Duration.seconds(2)

    private let queue: WorkQueue
    private let redis: RedisClient
    private let envelope: Envelope
    private let keySpace: KeySpace
    private let clock: RedisClock
    private let renewed = RenewedRollouts()
    let batcher: StepBatcher<EnqueueStep>

    /// - Parameter redis: the connection that the jobs go over; callbacks are called on its event loop.
    package init(
        _ queue: WorkQueue = .completions, redis: RedisClient, envelope: Envelope, limits: Limits,
        keySpace: KeySpace
    ) {
        self.init(
            queue, redis: redis, envelope: envelope, limits: limits, keySpace: keySpace,
            clock: RedisClock())
    }

    init(
        _ queue: WorkQueue = .completions, redis: RedisClient, envelope: Envelope, limits: Limits,
        keySpace: KeySpace, clock: RedisClock
    ) {
        self.queue = queue
        self.redis = redis
        self.envelope = envelope
        self.keySpace = keySpace
        self.clock = clock
        batcher = StepBatcher(on: redis.eventLoop) { steps in
            Self.send(steps, to: queue, within: limits, over: redis, clock)
        }
    }

    /// The script's reply for one job.
    struct Reply {
        /// The job that the consumer was given in the slot that was taken for this one.
        enum Given {
            case this(Delivery)
            case older(Delivery)
        }

        var outcome: Outcome
        var given: Given?
    }

    /// - Parameter consumer: takes the oldest job of the queue in the same step; nil: none is taken.
    func enqueue(
        _ job: Job, givingTo consumer: String?, completion: @escaping @Sendable (Result<Reply, RedisError>) -> Void
    ) throws(EnvelopeError) {
        let job = job.withOwnSeal
        let sealed = try (job.ownSeal?.envelope ?? envelope).seal(job.wireBytes, for: .job(job, on: queue))
        let wrappedKey = try job.ownSeal?.wrapped(for: job.insertionID, by: envelope)
        let rollout = job.ownRollout.map { keySpace.keys(of: $0) }
        let renews = rollout.map { renewed.isDue($0.set) } ?? false
        let (clock, batcher, timeout) = (clock, batcher, redis.endpoint.commandTimeout)
        let asked = ContinuousClock.now
        @Sendable func submit(_ completion: @escaping @Sendable (Result<Reply, RedisError>) -> Void) {
            batcher.submit(
                EnqueueStep(
                    job: job, sealed: sealed, wrappedKey: wrappedKey, rollout: rollout, renews: renews,
                    consumer: consumer,
                    latest: clock.time(at: .now + timeout),
                    completion: completion))
        }
        @Sendable func finish(_ result: Result<Reply, RedisError>) {
            // A job that was given to this process while it stood still may be another's by now, and its call made. If
            // it is not, it is given to this process again.
            let isOld = asked.duration(to: .now) >= JobStream.lostAfter - Self.margin
            completion(isOld ? result.map { Reply(outcome: $0.outcome, given: nil) } : result)
        }
        submit { result in
            guard case .success(let reply) = result, reply.outcome == .tooLate, asked.duration(to: .now) < timeout
            else {
                return finish(result)
            }
            // The caller still waits, so only the idea of the server's clock was wrong: that clock has been set. It is
            // known better now.
            submit(finish)
        }
    }

    private static func send(
        _ steps: [EnqueueStep], to queue: WorkQueue, within limits: Limits, over redis: RedisClient,
        _ clock: RedisClock
    ) {
        let asked = ContinuousClock.now
        let rates = BatchLimits(steps)
        let keyCount =
            EnqueueStep.commonKeys + EnqueueStep.keys * steps.count + BatchLimits.keys * rates.limits.count
        redis.evaluate(JobScripts.enqueue, keyCount: keyCount) { command in
            for key in [queue.stream, queue.bytes, Keys.traceBytes, Keys.kept] { command.append(key) }
            for step in steps { step.appendKeys(to: &command) }
            rates.appendKeys(to: &command)
            command.append(queue.group)
            command.append(steps.lazy.compactMap(\.consumer).first ?? "")
            for number in [limits.entries, limits.bytes, limits.spanBytes, Limits.listedRollouts] {
                command.append(number)
            }
            for number in [Int(limits.rolloutTTL.components.seconds), Int(Idempotency.life.milliseconds)] {
                command.append(number)
            }
            command.append(steps.count)
            command.append(rates.limits.count)
            command.append(limits.keptBytes)
            for step in steps { step.appendArguments(to: &command) }
            rates.appendLimits(to: &command)
            rates.appendCharges(to: &command)
        } completion: { result in
            switch result {
            case .failure(let error): for step in steps { step.completion(.failure(error)) }
            case .success(let reply):
                let replies = EnqueueStep.replies(reply, to: steps, countedOn: rates, on: queue)
                let isLate = replies.contains {
                    if case .success(let reply) = $0 { reply.outcome == .tooLate } else { false }
                }
                if let time = reply[0].int {
                    clock.learn(Timestamp(clamping: time), asked: asked, isCertain: isLate)
                }
                for (step, reply) in zip(steps, replies) { step.completion(reply) }
            }
        }
    }
}

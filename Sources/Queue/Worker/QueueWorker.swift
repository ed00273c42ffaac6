package import Common
package import Logging
package import NIOCore
package import Redis
package import ServiceLifecycle

/// One consumer of a queue, put together: it takes jobs, says that it lives, hears what is said of its jobs, and takes
/// over what dead workers left.
package struct QueueWorker: Sendable {
    /// The bounds of a worker's work.
    package struct Limits: Sendable {
        /// The most jobs at once.
        package var concurrency: Int
        /// The largest body of a request, in bytes: what a read of the queue may bring.
        package var maxBodyBytes: Int
        package var deadLetterLimit: Int
        /// The most bytes that are kept for later.
        package var keptBytes: Int
        /// The time for which a stopping worker waits for running jobs.
        package var drain: Duration
        /// The lifetime of a span that waits for its export (``SpanOutbox/life(forWaiting:)``).
        package var spanLife: Duration
        /// The longest that a client waits for an answer.
        package var longestWait: Duration
        /// The role of the process in the audit log; nil: there is no audit log.
        package var auditRole: Role?

        package init(concurrency: Int, settings: Settings) {
            self.concurrency = concurrency
            maxBodyBytes = settings.http.maxBodyBytes
            deadLetterLimit = settings.queue.deadLetterLimit
            keptBytes = settings.queue.keptBytes
            drain = settings.process.drain
            longestWait = settings.calls.requestTimeout
            spanLife = SpanOutbox.life(forWaiting: settings.traces.outboxMaxAge)
            auditRole = settings.requestLog.place == .embedded ? settings.role : nil
        }
    }

    package var stream: JobStream
    package let sender: ResponseSender
    /// Hands jobs of this process to this worker.
    package let local: LocalWorker
    /// The connection for everything else that the worker asks of Redis.
    package let commands: RedisClient
    /// Notes audit events; nil: there is no audit log.
    package let audit: AuditLog?

    private let clock = RedisClock()
    private let endpoint: RedisEndpoint
    private let reader: RedisClient
    private let limits: Limits
    private let jobs: RunningJobs
    private let logger: Logger

    /// - Parameter eventLoop: where its connections live and its callbacks are called; nil takes the process's shared
    ///   loops.
    package init(
        _ queue: WorkQueue, redis endpoint: RedisEndpoint, limits: Limits, envelope: Envelope, keySpace: KeySpace,
        eventLoop: (any EventLoop)? = nil, logger: Logger
    ) {
        self.endpoint = endpoint
        self.limits = limits
        self.logger = logger
        var reading = endpoint
        // A read may bring a whole batch of the largest bodies.
        reading.maximumReplyBytes = max(endpoint.maximumReplyBytes, Intake.batch * (limits.maxBodyBytes + (1 << 16)))
        jobs = RunningJobs(capacity: limits.concurrency)
        local = LocalWorker(jobs: jobs)
        let commands = RedisClient(endpoint, eventLoop: eventLoop, logger: logger)
        self.commands = commands
        audit = limits.auditRole.map { AuditLog(role: $0, redis: commands, envelope: envelope, logger: logger) }
        reader = RedisClient(reading, eventLoop: eventLoop, logger: logger)
        stream = JobStream(
            queue, consumer: ProcessName.random(), commands: commands, reader: reader,
            deadLetterLimit: limits.deadLetterLimit, keptLimit: limits.keptBytes,
            longestWait: limits.longestWait)
        sender = ResponseSender(
            stream: stream, envelope: envelope, keySpace: keySpace, spanLife: limits.spanLife,
            audit: audit, logger: logger)
    }

    /// The time for which an entry has been in the queue, by the Redis server's clock.
    func age(of delivery: borrowing Delivery) -> Duration {
        clock.now.elapsed(since: delivery.queuedAt ?? .distantFuture)
    }

    /// ``services(between:watch:start:)`` with a task for each job.
    package func services(between: [any Service] = [], watch: RedisWatch, work: @escaping Intake.Work) -> [any Service]
    {
        services(
            between: between,
            intake: Intake(
                stream: stream, jobs: jobs, clock: clock, drain: limits.drain, local: local,
                isOpen: { watch.hasRightKey },
                logger: logger, work: work))
    }

    /// Its services in starting order. They stop in reverse: intake first, which lets its jobs end, connections last.
    /// - Parameters:
    ///   - between: starts after the connections and before the first job; what the work needs.
    ///   - watch: says whether this process may take jobs.
    package func services(
        between: [any Service] = [], watch: RedisWatch, start: @escaping Intake.Start
    ) -> [any Service] {
        services(
            between: between,
            intake: Intake(
                stream: stream, jobs: jobs, clock: clock, drain: limits.drain, local: local,
                isOpen: { watch.hasRightKey },
                logger: logger, start: start))
    }

    private func services(between: [any Service], intake: Intake) -> [any Service] {
        [commands, reader] + (audit.map { [$0.records] } ?? []) + between + [
            SignalListener(endpoint: endpoint, stream: stream, jobs: jobs, logger: logger),
            Heartbeat(stream: stream, clock: clock, logger: logger), intake,
        ]
    }
}

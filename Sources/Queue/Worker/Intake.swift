internal import Common
package import Logging
internal import NIOConcurrencyHelpers
internal import Redis
internal import ServiceLifecycle

/// Takes jobs off the stream, as many as there are free slots, and starts them. One blocked reader for the whole
/// process.
///
/// Now and then it also takes over the jobs of workers that died or handed theirs back. The same goes for jobs that
/// were given to this one in an answer that never came. It does so between two reads, so that the two together never
/// take more than there are slots.
///
/// When it is told to stop, it takes no more jobs. Those that run may end within the drain time, and the rest is handed
/// back.
package struct Intake: NamedService {
    /// Works on one delivery. Its job always ends once, or goes to another worker.
    package typealias Work = @Sendable (_ delivery: consuming Delivery, _ control: CallControl) async -> Void
    /// Starts the same, and calls `done` when the job has ended here. Called on any thread.
    package typealias Start =
        @Sendable (_ delivery: consuming Delivery, _ control: CallControl, _ done: @escaping @Sendable () -> Void) ->
        Void

    /// The most entries of one read: enough to fill slots fast, few enough to share a backlog with other workers.
    package static let batch = 64
    private static let wait = Duration.seconds(1)
    /// From this age on an entry may have been cancelled before this process listened; its marker is looked up. Younger
    /// ones were cancelled, if at all, in signals that this process hears.
    private static let staleAge = Duration.milliseconds(50)
    private static let takeoverInterval = Duration.seconds(5)
    /// Redis forgets which workers live if it is away for longer than a liveness key lives. They say so again within a
    /// heartbeat's interval; until then no worker is taken for dead.
    private static let steadiness = Duration.seconds(10)

    let stream: JobStream
    let jobs: RunningJobs
    private let startWork: Start
    let clock: RedisClock
    let drain: Duration
    /// The way by which this process hands jobs to itself; open while this intake takes jobs.
    let local: LocalWorker?
    /// Whether this process may take jobs now.
    let isOpen: @Sendable () -> Bool
    let logger: Logger

    package init(
        stream: JobStream, jobs: RunningJobs, clock: RedisClock, drain: Duration, local: LocalWorker? = nil,
        isOpen: @escaping @Sendable () -> Bool = { true }, logger: Logger, start: @escaping Start
    ) {
        self.isOpen = isOpen
        self.stream = stream
        self.jobs = jobs
        startWork = start
        self.clock = clock
        self.drain = drain
        self.local = local
        self.logger = logger
    }

    /// The same with a task for each delivery.
    package init(
        stream: JobStream, jobs: RunningJobs, clock: RedisClock, drain: Duration, local: LocalWorker? = nil,
        isOpen: @escaping @Sendable () -> Bool = { true }, logger: Logger, work: @escaping Work
    ) {
        self.init(
            stream: stream, jobs: jobs, clock: clock, drain: drain, local: local, isOpen: isOpen, logger: logger
        ) { delivery, control, done in
            // Not captured as it is: a task keeps what it captured to its end, and this may be large.
            let parcel = NIOLockedValueBox<Delivery?>(delivery)
            // allowed: RunningJobs owns it, ends it by its control and waits for `done`
            let task = Task {
                if let delivery = parcel.withLockedValue({ $0.take() }) { await work(delivery, control) }
                done()
            }
            control.onEnd { task.cancel() }
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await takeJobs() }
        local?.close()
        await drainJobs()
    }

    private func takeJobs() async {
        var hasJoined = false
        var nextTakeover = ContinuousClock.now
        while !Task.isCancelled {
            guard isOpen() else {
                local?.close()
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            do throws(RedisError) {
                if !hasJoined {
                    _ = try await stream.beat()
                    try await stream.join()
                    hasJoined = true
                }
                let room = await jobs.waitForRoom()
                guard room > 0 else { return }
                try await read(upTo: min((room + 1) / 2, Self.batch))
                if nextTakeover <= .now {
                    // Workers that started together would look together; the first would take all.
                    nextTakeover = .now + Self.takeoverInterval * Double.random(in: 0.8...1.2)
                    try await takeOver()
                }
            } catch {
                // The stream may be gone with its group, as after a flush, and this worker may count as dead: it joins
                // anew.
                hasJoined = false
                local?.close()
                logger.debug("job stream interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// - Parameter limit: half of the free slots at most: the others are for jobs that this process hands to itself.
    private func read(upTo limit: Int) async throws(RedisError) {
        let slots = jobs.reserve(upTo: limit)
        defer { jobs.unreserve(slots) }
        guard slots > 0 else { return }
        local?.open(self)
        let asked = ContinuousClock.now
        let deliveries = try await stream.read(upTo: slots, wait: Self.wait)
        // What was given to this process while it stood still may be another's by now, and made. What is not is given
        // to it again.
        if asked.duration(to: .now) < JobStream.lostAfter { await start(deliveries) }
    }

    private func takeOver() async throws(RedisError) {
        guard clock.isSteady(for: Self.steadiness) else { return }
        let slots = jobs.reserve(upTo: .max)
        defer { jobs.unreserve(slots) }
        guard slots > 0 else { return }
        let claimed = try await stream.claim(upTo: slots, running: jobs.entries, now: clock.now)
        if !claimed.isEmpty {
            logger.notice("took over jobs that were left behind", metadata: ["jobs": "\(claimed.count)"])
        }
        await start(claimed)
    }

    /// Starts deliveries, those that were taken over too.
    package func start(_ deliveries: [Delivery]) async {
        jobs.admit(deliveries.map(\.entry))
        let cancelled = await cancelled(among: deliveries)
        for delivery in await readKeys(of: deliveries) {
            if let id = InsertionID(delivery.insertionID), let cancellation = cancelled[id] {
                jobs.cancel(id, cancellation)
            }
            begin(delivery)
        }
    }

    /// Starts a job of this process. It is younger than any signal of it that could have been missed.
    func start(_ job: consuming Delivery, for client: any LocalClient) { begin(job, for: client) }

    /// Starts a job that came with the queueing of a younger one. Whether it was cancelled is looked up in a task, so
    /// that the younger one's request need not wait.
    func start(older job: consuming Delivery) {
        jobs.admit([job.entry])
        let parcel = NIOLockedValueBox<Delivery?>(job)
        // allowed: its slot is taken, and RunningJobs waits for the job that follows
        Task {
            guard let delivery = parcel.withLockedValue({ $0.take() }) else { return }
            await start([delivery])
        }
    }

    private func begin(_ delivery: consuming Delivery, for client: (any LocalClient)? = nil) {
        let (id, entry) = (InsertionID(delivery.insertionID), delivery.entry)
        let control = jobs.begin(id, entry: entry, client: client)
        startWork(delivery, control) { [jobs] in jobs.finish(id, entry: entry, control: control) }
    }

    private func cancelled(among deliveries: [Delivery]) async -> [InsertionID: Cancellation] {
        let young = clock.now - Self.staleAge
        let stale = deliveries.filter { $0.isTakenOver || ($0.queuedAt ?? .epoch) < young }
        while !stale.isEmpty {
            do {
                return try await stream.cancelled(among: stale.compactMap { InsertionID($0.insertionID) })
            } catch {
                // These entries are ours by now: they can neither be run unlooked nor dropped.
                logger.debug("cannot look up cancellations", metadata: ["error": "\(error)"])
                guard !Task.isCancelled else { return [:] }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        return [:]
    }

    /// Reads the keys of their own under which some jobs are sealed. Those that are not read before this process ends
    /// go to other workers.
    private func readKeys(of deliveries: [Delivery]) async -> [Delivery] {
        while true {
            do { return try await stream.readKeys(of: deliveries) } catch {
                logger.debug("cannot read the keys of withheld jobs", metadata: ["error": "\(error)"])
                guard !Task.isCancelled else { return deliveries }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func drainJobs() async {
        guard jobs.count > 0 else { return }
        logger.info("draining", metadata: ["running": "\(jobs.count)", "seconds": "\(drain.components.seconds)"])
        await withTaskGroup { group in
            group.addTask { await jobs.waitUntilEmpty() }
            group.addTask {
                // Ends early where the process is torn down instead of stopped: then nothing may hold it up.
                try? await Task.sleep(for: drain)
                jobs.releaseAll()
            }
            // The first to end is the timer only if jobs were left; they end soon after they were released.
            await group.next()
            if jobs.count > 0 { await group.next() }
            group.cancelAll()
        }
    }
}

internal import Common
internal import Logging
internal import ServiceLifecycle

/// Takes jobs off the stream, as many as there are free slots, and starts them. One blocked reader for the whole process.
///
/// When it is told to stop, it takes no more; what runs may end within the drain time, and the rest is handed back.
struct Intake: Service, CustomStringConvertible {
    /// Entries of one read: enough to fill slots fast, few enough to share a backlog with other forwarders.
    private static let batch = 256
    private static let wait = Duration.seconds(1)
    /// From this age on an entry may have been cancelled before this process listened; its marker is looked up. Younger ones were cancelled, if at all, in
    /// news that this process hears.
    private static let staleAge: UInt64 = 50

    let stream: JobStream
    let jobs: RunningJobs
    let runner: JobRunner
    let clock: RedisClock
    let executor: (any TaskExecutor)?
    let drain: Duration
    let logger: Logger

    var description: String { "Intake" }

    func run() async throws {
        await cancelWhenGracefulShutdown { await takeJobs() }
        await drainJobs()
    }

    private func takeJobs() async {
        var hasJoined = false
        while !Task.isCancelled {
            do {
                if !hasJoined {
                    _ = try await stream.beat()
                    try await stream.join()
                    hasJoined = true
                }
                let room = await jobs.waitForRoom()
                guard room > 0 else { return }
                try await start(stream.read(upTo: min(room, Self.batch), wait: Self.wait))
            } catch {
                // NOGROUP: the stream is gone with its group, as after a flush. Both are made anew.
                hasJoined = hasJoined && error.serverCode != "NOGROUP"
                logger.debug("job stream interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Starts deliveries, those that were taken over too.
    func start(_ deliveries: [Delivery]) async {
        jobs.admit(deliveries.map(\.entry))
        let cancelled = await cancelled(among: deliveries)
        for delivery in deliveries {
            let id = InsertionID(delivery.insertionID)
            if let id, cancelled.contains(id) { jobs.cancel(id) }
            jobs.start(id, entry: delivery.entry, on: executor) { control in await runner.run(delivery, control: control) }
        }
    }

    private func cancelled(among deliveries: [Delivery]) async -> Set<InsertionID> {
        let now = clock.now
        let stale = deliveries.filter { $0.isTakenOver || ($0.queuedAt ?? 0) + Self.staleAge < now }
        while !stale.isEmpty {
            do {
                return try await stream.cancelled(among: stale.compactMap { InsertionID($0.insertionID) })
            } catch {
                // These entries are ours by now: they can neither be run unlooked nor dropped.
                logger.debug("cannot look up cancellations", metadata: ["error": "\(error)"])
                guard !Task.isCancelled else { return [] }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        return []
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

internal import Common
internal import Logging
internal import Queue
internal import Redis
internal import ServiceLifecycle

/// Brings spans from the outbox to the trace store of each project, at least once, in batches (architecture §2.3). Each
/// forwarder runs one; they share the work.
///
/// A project whose trace store does not take its spans waits, and holds up no other project. None of its further spans
/// are taken from the outbox until its pause is over.
struct Exporter: NamedService {
    /// The interval at which entries of dead or stopped exporters are looked for.
    private static let takeoverInterval = Duration.seconds(10)
    private static let wait = Duration.seconds(1)

    let outbox: SpanOutbox
    /// The outbox of the request log. Its bound is kept here too, since the log's own process may be away.
    var records: RecordOutbox?
    let destinations: TraceDestinations
    let sender: SpanSender
    let interval: Duration
    /// Whether this process may take spans now.
    var isOpen: @Sendable () -> Bool = { true }
    var metrics: ExportMetrics?
    let logger: Logger

    func run() async throws {
        // To open and compress a batch takes tens of milliseconds, so it is not done on a loop that passes answers on.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await cancelWhenGracefulShutdown { await export() }
        }
        for project in destinations.projects { try? await outbox.handBack(project) }
    }

    /// The result of a step of the work.
    private enum Event: Sendable {
        /// Entries have come for the watched backlogs.
        case came([SpanOutbox.Entry])
        case interrupted(RedisError)
        case worked(ProjectBacklog)
    }

    /// Exports all projects: one task for each project that has spans, and one reader that watches the others.
    private func export() async {
        var idle: [ProjectBacklog] = []
        var working: Set<UTF8Text> = []
        var upkeep = Upkeep()
        await withTaskGroup(of: Event.self) { group in
            var isWatching = false
            while !Task.isCancelled {
                if !isWatching, !isOpen() {
                    try? await Task.sleep(for: .milliseconds(50))
                    continue
                }
                if !isWatching {
                    await follow(destinations.projects, idle: &idle, working: working, upkeep: &upkeep)
                    do throws(RedisError) { try await keep(up: &upkeep, &idle) } catch {
                        await interrupted(by: error, &upkeep)
                        continue
                    }
                    isWatching = true
                    let backlogs = idle
                    group.addTask { await watch(backlogs) }
                }
                switch await group.next() {
                case .came(let entries):
                    isWatching = false
                    for index in idle.indices {
                        idle[index].waiting += entries.filter { $0.project == idle[index].project }
                    }
                    let ready = idle.filter(\.hasWork)
                    idle.removeAll { backlog in ready.contains { $0.project == backlog.project } }
                    working.formUnion(ready.map { UTF8Text($0.project) })
                    for backlog in ready { group.addTask { .worked(await work(on: backlog)) } }
                case .interrupted(let error):
                    isWatching = false
                    await interrupted(by: error, &upkeep)
                case .worked(let backlog):
                    working.remove(UTF8Text(backlog.project))
                    idle.append(backlog)
                case nil: break
                }
            }
        }
    }

    /// Takes over the projects that the secrets have now. The secrets may gain and lose projects. The entries of a lost
    /// one are handed back, in case it is exported elsewhere.
    private func follow(
        _ projects: [String], idle: inout [ProjectBacklog], working: Set<UTF8Text>, upkeep: inout Upkeep
    ) async {
        let lost = idle.filter { !projects.contains($0.project) }.map(\.project)
        idle.removeAll { lost.contains($0.project) }
        for project in lost { try? await outbox.handBack(project) }
        let known = working.union(idle.map { UTF8Text($0.project) })
        let new = projects.filter { !known.contains($0) }
        guard !new.isEmpty else { return }
        idle += new.map { ProjectBacklog(project: $0, now: .now) }
        upkeep.hasJoined = false
    }

    /// Waits until there are entries for one of these backlogs, or until the pause of one is over.
    private func watch(_ backlogs: [ProjectBacklog]) async -> Event {
        let now = ContinuousClock.now
        let open = backlogs.filter(\.hasRoom).map(\.project)
        let next = backlogs.map(\.notBefore).filter { $0 > now }.min() ?? now + Self.wait
        let wait =
            backlogs.contains(where: \.hasWork)
            ? .milliseconds(1) : min(max(now.duration(to: next), .milliseconds(1)), Self.wait)
        guard !open.isEmpty else {
            try? await Task.sleep(for: wait)
            return .came([])
        }
        do { return .came(try await outbox.read(open, upTo: ExportBatch.maximumCount, wait: wait)) } catch {
            return .interrupted(error)
        }
    }

    /// Sends the backlog's entries, and those that wait behind them in the outbox. Later entries are collected for a
    /// while, so that they leave together.
    private func work(on backlog: ProjectBacklog) async -> ProjectBacklog {
        var backlog = backlog
        var sent = (count: 0, bytes: 0)
        while true {
            let began = ContinuousClock.now
            sent.count += backlog.waiting.count
            sent.bytes += backlog.waiting.reduce(0) { $0 + $1.size }
            let isFull = backlog.waiting.count >= ExportBatch.maximumCount
            backlog = await sender.send(backlog)
            guard backlog.waiting.isEmpty, !Task.isCancelled else { return backlog }
            if isFull {
                backlog.waiting = (try? await outbox.read(backlog.project, upTo: ExportBatch.maximumCount)) ?? []
            }
            if backlog.waiting.isEmpty {
                backlog.collect(for: interval, after: began, sent: sent)
                return backlog
            }
        }
    }

    /// The tasks that have to be done now and then.
    private struct Upkeep {
        var hasJoined = false
        var hasEndedLog = false
        var nextTakeover = ContinuousClock.now
    }

    private func keep(up upkeep: inout Upkeep, _ backlogs: inout [ProjectBacklog]) async throws(RedisError) {
        let projects = destinations.projects
        guard !projects.isEmpty else { return }
        if !upkeep.hasJoined {
            try await outbox.join(projects)
            upkeep.hasJoined = true
        }
        if records == nil, !upkeep.hasEndedLog {
            try await outbox.endLog(of: projects)
            upkeep.hasEndedLog = true
        }
        guard upkeep.nextTakeover <= .now else { return }
        upkeep.nextTakeover = .now + Self.takeoverInterval * Double.random(in: 0.8...1.2)
        try await takeOver(&backlogs)
    }

    private func interrupted(by error: RedisError, _ upkeep: inout Upkeep) async {
        // NOGROUP: a stream is gone with its group, as after a flush. Both are made anew.
        upkeep.hasJoined = upkeep.hasJoined && error.serverCode != "NOGROUP"
        logger.debug("outbox interrupted", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: .milliseconds(200))
    }

    private func takeOver(_ backlogs: inout [ProjectBacklog]) async throws(RedisError) {
        for index in backlogs.indices where backlogs[index].waiting.isEmpty && backlogs[index].hasRoom {
            let project = backlogs[index].project
            backlogs[index].waiting = try await outbox.takeOver(project, upTo: ExportBatch.maximumCount)
            try await outbox.forgetTheDead(of: project)
        }
        try await makeRoom(destinations.projects)
        let lost = try await records?.trim(destinations.projects) ?? 0
        guard lost > 0 else { return }
        logger.warning(
            """
            rows of the request log are given up: more waits than REQUEST_LOG_BYTES, since no process that keeps the \
            log takes them
            """,
            metadata: ["rows": "\(lost)"])
    }

    /// Near the bound, drops traces of unexported projects and of failed completions, for those that rollouts wait for.
    private func makeRoom(_ projects: [String]) async throws(RedisError) {
        let waiting = try await outbox.bytes()
        if waiting >= outbox.maximumBytes {
            logger.warning(
                "completions of rollouts are refused: too much waits for the trace store (OUTBOX_BYTES)",
                metadata: ["bytes": "\(waiting)"])
        }
        var excess = waiting - outbox.maximumBytes / 10 * 9
        for orphan in try await outbox.note(exported: projects) {
            let gone = try await outbox.clear(orphan: orphan, bytes: excess)
            excess -= gone.bytes
            warn(
                of: gone.count, of: orphan,
                "gave up traces of a project that no forwarder exports: it has no langfuse_keys any longer")
        }
        for project in projects where excess > 0 {
            let gone = try await outbox.shedFailures(of: project, bytes: excess)
            excess -= gone.bytes
            warn(
                of: gone.count, of: project,
                "gave up traces of failed completions: too much waits for the trace store (OUTBOX_BYTES)")
        }
    }

    private func warn(of spans: Int, of project: String, _ message: Logger.Message) {
        guard spans > 0 else { return }
        metrics?.lost(spans, .shed)
        logger.warning(message, metadata: ["project": "\(project)", "spans": "\(spans)"])
    }
}

/// One project's spans on their way out: those that were taken from the outbox and are not settled. After a failure it
/// also knows when the trace store is asked again.
struct ProjectBacklog: Sendable {
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// The pause after a store refused the keys, which the operator has to correct.
    private static let pauseAfterRefusal = Duration.seconds(60)

    let project: String
    var waiting: [SpanOutbox.Entry] = []
    private(set) var notBefore: ContinuousClock.Instant
    private var failures = 0
    private var pace = ExportPace()

    init(project: String, now: ContinuousClock.Instant) {
        self.project = project
        notBefore = now
    }

    /// Whether there are entries to send, and they may be sent now.
    var hasWork: Bool { !waiting.isEmpty && notBefore <= .now }

    /// Whether more may be taken from the outbox. Spans that could not be sent wait for further ones, which show
    /// whether the store takes any.
    var hasRoom: Bool { waiting.count < ExportBatch.maximumCount && notBefore <= .now }

    /// Puts entries back that were not settled, before the others.
    mutating func takeBack(_ entries: [SpanOutbox.Entry]) {
        waiting.insert(contentsOf: entries.filter { !waiting.contains($0) }, at: 0)
    }

    /// Begins to collect the next spans, which leave together, once all others are settled.
    /// - Parameters:
    ///   - interval: how long spans are collected at most.
    ///   - began: when the last ones began to be sent.
    ///   - sent: the number of the last ones, and their bytes.
    mutating func collect(
        for interval: Duration, after began: ContinuousClock.Instant, sent: (count: Int, bytes: Int)
    ) {
        notBefore = pace.next(after: began, now: .now, count: sent.count, bytes: sent.bytes, interval: interval)
    }

    /// Notes that the trace store took a batch.
    mutating func succeeded() { failures = 0 }

    /// Notes that the trace store could not take a batch.
    /// - Parameters:
    ///   - after: the pause that it asks for.
    ///   - spread: a number from 0 to 1, by which exporters that failed together come back apart.
    mutating func failed(after: Duration?, now: ContinuousClock.Instant, spread: Double) {
        let doubled = Self.shortestPause * (1 << min(failures, 5))
        let pause = max(after ?? .zero, min(doubled, Self.longestPause))
        failures += 1
        notBefore = now + pause * (1 + 0.2 * spread)
    }

    mutating func refused(now: ContinuousClock.Instant) { notBefore = now + Self.pauseAfterRefusal }
}

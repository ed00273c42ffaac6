internal import Common
internal import Logging
internal import ServiceLifecycle

/// Brings spans from the outbox to the trace store of each project, at least once, in batches (architecture §2.3). Each forwarder runs one; they share the work.
///
/// A project whose trace store does not take its spans waits and holds up no other: nothing more of it is taken from the outbox until its pause is over.
struct Exporter: Service, CustomStringConvertible {
    /// How often the leavings of others that are dead or have stopped are looked for.
    private static let takeoverInterval = Duration.seconds(10)
    private static let wait = Duration.seconds(1)

    let outbox: SpanOutbox
    let destinations: TraceDestinations
    let sender: SpanSender
    let interval: Duration
    let logger: Logger

    var description: String { "Exporter" }

    func run() async throws {
        guard !destinations.projects.isEmpty else {
            try? await gracefulShutdown()
            return
        }
        // Not on a loop that passes answers on: to open and compress a batch takes tens of milliseconds.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await cancelWhenGracefulShutdown { await export() }
        }
        for project in destinations.projects { try? await outbox.handBack(project) }
    }

    private func export() async {
        var lanes = destinations.projects.map { ExportLane(project: $0, now: .now) }
        var hasJoined = false
        var nextTakeover = ContinuousClock.now
        while !Task.isCancelled {
            do throws(RedisError) {
                if !hasJoined {
                    try await outbox.join(lanes.map(\.project))
                    hasJoined = true
                }
                if nextTakeover <= .now {
                    nextTakeover = .now + Self.takeoverInterval * Double.random(in: 0.8...1.2)
                    try await takeOver(&lanes)
                }
                try await read(&lanes)
            } catch {
                // NOGROUP: a stream is gone with its group, as after a flush. Both are made anew.
                hasJoined = hasJoined && error.serverCode != "NOGROUP"
                logger.debug("outbox interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(200))
            }
            await send(&lanes)
        }
    }

    /// Takes what waits, for the projects whose spans are taken; waits a little if there is nothing.
    private func read(_ lanes: inout [ExportLane]) async throws(RedisError) {
        let open = lanes.filter { $0.waiting.isEmpty && $0.notBefore <= .now }.map(\.project)
        let next = lanes.filter { !open.contains($0.project) }.map(\.notBefore).min() ?? .now + Self.wait
        let wait = min(max(ContinuousClock.now.duration(to: next), .milliseconds(1)), Self.wait)
        guard !open.isEmpty else {
            try? await Task.sleep(for: wait)
            return
        }
        let entries = try await outbox.read(open, upTo: ExportBatch.maximumCount, wait: wait)
        for index in lanes.indices { lanes[index].waiting += entries.filter { $0.project == lanes[index].project } }
    }

    private func takeOver(_ lanes: inout [ExportLane]) async throws(RedisError) {
        for index in lanes.indices where lanes[index].waiting.isEmpty && lanes[index].notBefore <= .now {
            let project = lanes[index].project
            lanes[index].waiting = try await outbox.takeOver(project, upTo: ExportBatch.maximumCount)
            try await outbox.forgetTheDead(of: project)
        }
        try await makeRoom(lanes.map(\.project))
    }

    /// Near the bound the traces of failed completions give way to those that a rollout waits for.
    private func makeRoom(_ projects: [String]) async throws(RedisError) {
        let waiting = try await outbox.bytes()
        if waiting >= outbox.maximumBytes {
            logger.warning(
                "completions of rollouts are refused: too much waits for the trace store (OUTBOX_BYTES)", metadata: ["bytes": "\(waiting)"])
        }
        var excess = waiting - outbox.maximumBytes / 10 * 9
        for project in projects where excess > 0 {
            let (bytes, count) = try await outbox.shedFailures(of: project, bytes: excess)
            excess -= bytes
            guard count > 0 else { continue }
            logger.warning(
                "gave up traces of failed completions: too much waits for the trace store (OUTBOX_BYTES)",
                metadata: ["project": "\(project)", "spans": "\(count)"])
        }
    }

    /// Sends what is due, all projects side by side. No sooner than the interval after the last time, so that what comes meanwhile leaves together.
    private func send(_ lanes: inout [ExportLane]) async {
        let due = lanes.indices.filter { !lanes[$0].waiting.isEmpty && lanes[$0].notBefore <= .now }
        guard !due.isEmpty else { return }
        let began = ContinuousClock.now
        let sent = await withTaskGroup { group in
            for index in due {
                let lane = lanes[index]
                group.addTask { (index, await sender.send(lane)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (index, lane) in sent { lanes[index] = lane }
        let isFull = sent.contains { _, lane in lane.wasFull }
        if !isFull { try? await Task.sleep(for: interval - began.duration(to: .now)) }
    }
}

internal import Common
internal import Logging
internal import Queue
internal import Redis
internal import RequestLog
internal import ServiceLifecycle

/// Writes the rows of the request log: reads records from their streams, at least once, and puts them into the store.
struct RequestRecorder: NamedService {
    private static let batch = 500
    private static let wait = Duration.seconds(1)
    /// The interval for taking over what an earlier reader has left, and for keeping the outbox to its bound.
    private static let upkeepInterval = Duration.seconds(10)
    /// So many refused rows in a batch are the store's fault, and not theirs.
    private static let mostRefusals = 8
    /// The time for which nothing is read after the store took no rows.
    private static let pause = Duration.seconds(1)

    let outbox: RecordOutbox
    let prices: PriceTable
    /// Keeps rows. It may keep some of them and then throw: each is the same however often it is kept.
    let keep: @Sendable ([LoggedRow]) async throws -> Void
    let envelope: Envelope
    /// The projects whose completions are traced.
    let projects: @Sendable () -> [String]
    /// Whether this process may take records now.
    var isOpen: @Sendable () -> Bool = { true }
    /// Is told of records that cannot be read here.
    let audit: AuditLog?
    let logger: Logger
    private let leftLog = SparseLog()

    init(
        outbox: RecordOutbox, prices: PriceTable, keep: @escaping @Sendable ([LoggedRow]) async throws -> Void,
        envelope: Envelope, projects: @escaping @Sendable () -> [String],
        isOpen: @escaping @Sendable () -> Bool = { true }, audit: AuditLog? = nil, logger: Logger
    ) {
        self.outbox = outbox
        self.prices = prices
        self.keep = keep
        self.envelope = envelope
        self.projects = projects
        self.isOpen = isOpen
        self.audit = audit
        self.logger = logger
    }

    func run() async throws {
        // Not on a loop that passes answers on: to open a batch takes tens of milliseconds.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await cancelWhenGracefulShutdown { await record() }
        }
        for project in streams { try? await outbox.handBack(project) }
    }

    private var streams: [String] { projects() + [RecordOutbox.noProject] }

    private func record() async {
        var joined: [String] = []
        // Projects without keys by now, of which something may wait.
        var former: [String] = []
        var nextUpkeep = ContinuousClock.now
        while !Task.isCancelled {
            guard isOpen() else {
                try? await Task.sleep(for: .milliseconds(50))
                continue
            }
            do throws(RedisError) {
                let known = streams
                let streams = known + former.filter { !known.contains($0) }
                if joined != streams {
                    try await outbox.join(streams)
                    joined = streams
                }
                if nextUpkeep <= .now {
                    nextUpkeep = .now + Self.upkeepInterval * Double.random(in: 0.8...1.2)
                    try await keepUp(streams)
                    former = try await outbox.exportedProjects()
                }
                let entries = try await outbox.read(streams, upTo: Self.batch, wait: Self.wait)
                if !entries.isEmpty { await write(entries) }
            } catch {
                // NOGROUP: a stream is gone with its group, as after a flush. Both are made anew.
                joined = []
                logger.debug("request log interrupted", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func keepUp(_ streams: [String]) async throws(RedisError) {
        for project in streams {
            let entries = try await outbox.takeOver(project, upTo: Self.batch)
            if !entries.isEmpty { await write(entries) }
        }
        let lost = try await outbox.trim(projects())
        guard lost > 0 else { return }
        logger.warning(
            "rows of the request log are given up: more waits than REQUEST_LOG_BYTES", metadata: ["rows": "\(lost)"])
    }

    /// Writes the rows of some entries, again until the store takes them or this process stops.
    private func write(_ entries: [SpanOutbox.Entry]) async {
        var pending = entries
        while !pending.isEmpty, !Task.isCancelled {
            do {
                let found = try await read(pending)
                for part in Self.byProject(found.left) {
                    try await outbox.leave(part)
                    guard let stream = part.first.map({ SpanOutbox.stream(of: $0.project) }) else { continue }
                    audit?.noteSparsely(.sealUnreadable, of: stream, count: part.count)
                }
                for part in Self.byProject(found.lost) { try await outbox.settle(part, isLost: true) }
                found.say(to: logger, leftLog)
                pending = found.readable
                let refused = found.rows.isEmpty ? [] : try await add(found)
                let kept = pending.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
                for part in Self.byProject(kept) { try await outbox.settle(part) }
                for part in Self.byProject(refused.map { pending[$0] }) { try await outbox.settle(part, isLost: true) }
                return
            } catch let error as RedisError {
                logger.debug("request log interrupted", metadata: ["error": "\(error)"])
            } catch {
                logger.error("the request log takes no rows; they wait", metadata: ["error": "\(error.kind)"])
                for part in Self.byProject(pending) { try? await outbox.hold(part) }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }
}

/// Reading records.
extension RequestRecorder {
    /// Adds rows: together, or, if that fails, each by itself, so that one row that the store never takes holds up no
    /// other.
    /// - Returns: the places of those that the store refuses while it takes others.
    /// - Throws: the store's error, if it takes none.
    private func add(_ found: Found) async throws -> [Int] {
        do {
            try await keep(found.rows)
            return []
        } catch {
            guard found.rows.count > 1 else { throw error }
            var refused: [Int] = []
            var taken: LoggedRow?
            for (place, row) in found.rows.enumerated() {
                do {
                    try await keep([row])
                    taken = row
                } catch { refused.append(place) }
                guard refused.count < Self.mostRefusals else { throw error }
            }
            guard !refused.isEmpty else { return [] }
            // Only a store that goes on taking rows shows that it is not its own fault.
            guard let taken else { throw error }
            try await keep([taken])
            logger.error(
                "the request log does not take some rows; they are given up",
                metadata: ["rows": "\(refused.count)", "error": "\(error.kind)"])
            return refused
        }
    }

    /// Entries by what can be done with them.
    private struct Found {
        /// Those of the readable entries, in their order.
        var rows: [LoggedRow] = []
        var readable: [SpanOutbox.Entry] = []
        /// A newer gateway wrote them, or one with another key.
        var left: [SpanOutbox.Entry] = []
        /// Their records are not kept any longer, or were damaged.
        var lost: [SpanOutbox.Entry] = []

        func say(to logger: Logger, _ leftLog: SparseLog) {
            if !left.isEmpty, let count = leftLog.note(left.count) {
                logger.warning(
                    """
                    left records for a request log that can read them: a newer gateway wrote them, or one with another \
                    GATEWAY_KEY
                    """,
                    metadata: ["records": "\(count)"])
            }
            if !lost.isEmpty {
                logger.error(
                    "rows of the request log are lost: their records are not kept any longer, or were damaged in Redis",
                    metadata: ["rows": "\(lost.count)"])
            }
        }
    }

    private static func byProject(_ entries: [SpanOutbox.Entry]) -> [[SpanOutbox.Entry]] {
        Array(Dictionary(grouping: entries) { UTF8Text($0.project) }.values)
    }

    private func read(_ entries: [SpanOutbox.Entry]) async throws(RedisError) -> Found {
        var found = Found()
        found.rows.reserveCapacity(entries.count)
        for (entry, sealed) in zip(entries, try await outbox.records(of: entries)) {
            guard let id = entry.id, let sealed else {
                found.lost.append(entry)
                continue
            }
            do {
                found.rows.append(try LoggedRow(try envelope.open(sealed, for: .record(id)), prices: prices))
                found.readable.append(entry)
            } catch let error as EnvelopeError where error.isForOthers {
                found.left.append(entry)
            } catch {
                found.lost.append(entry)
            }
        }
        return found
    }
}

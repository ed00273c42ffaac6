package import Common
package import Redis

/// The spans that wait for their export, as the exporters and those who want one sent again see them. Finished jobs put
/// them there (``JobScripts/finish``).
///
/// An entry holds an insertion id and the size of its span; the span is in a key of its own, which outlives the entry
/// for an hour, if so many bytes are not too many. The process with the request log reads the same entries in a group
/// of its own (``RecordOutbox``).
package struct SpanOutbox: Sendable {
    /// The time for which a span is kept after it was accepted, to be sent again if it is lost after all.
    package static let keptFor = Duration.seconds(3600)

    /// The lifetime of a span's key from the beginning of its wait. A waiting span has more left than an accepted one:
    /// that is how the two are told apart.
    /// - Parameter wait: the time for which it may wait (`OUTBOX_MAX_AGE_SECONDS`).
    package static func life(forWaiting wait: Duration) -> Duration { wait + keptFor }

    /// The time after which an exporter that has not settled an entry counts as dead. It is longer than any batch takes
    /// with all its attempts.
    private static let lostAfter = Duration.seconds(60)

    /// The time after which an exporter that has asked for nothing counts as gone.
    private static let goneAfter = Duration.seconds(3600)
    static let page = 1000
    /// The numbers of spans that one command reads and one script settles. Redis does nothing else meanwhile, and every
    /// completion waits for it; on the other hand an exporter that falls behind has to read back what it had at hand.
    static let (readStep, settleStep) = (64, 256)
    /// The time for which spans that were left for others are not looked at again.
    private static let leftFor = Duration.seconds(600)
    /// Stands for the span of an entry that names none. Nothing has this key.
    static let noSpan = "gateway/span/unknown"

    /// A span that waits.
    package struct Entry: Sendable, Equatable {
        package var project: String
        /// The entry's id on the stream.
        package var entry: String
        /// Nil: the entry is none of ours.
        package var id: InsertionID?
        /// Bytes of the sealed span.
        package var size: Int
        /// Whether it tells of a completion that failed.
        package var isFailure: Bool
        /// The sealed record of a request that has no span, which stands in the entry itself.
        package var record: [UInt8]?
    }

    /// This exporter's name in the consumer groups; unique to the process.
    private let consumer: String
    let group: String
    let commands: RedisClient
    private let reader: RedisClient
    private let aside = EntriesForOthers(limit: 2000)
    /// The most bytes of spans that shall wait, and of those that are kept afterwards (`OUTBOX_BYTES`).
    package let maximumBytes: Int

    /// - Parameters:
    ///   - group: the consumer group that it is one of.
    ///   - commands: the connection for everything that answers at once.
    ///   - reader: a connection of its own for `read`, which blocks it.
    package init(
        consumer: String, of group: String = Keys.exporterGroup, commands: RedisClient, reader: RedisClient,
        maximumBytes: Int
    ) {
        self.maximumBytes = maximumBytes
        self.consumer = consumer
        self.group = group
        self.commands = commands
        self.reader = reader
    }

    /// The stream of a project's spans; that of records without a span for ``RecordOutbox/noProject``.
    package static func stream(of project: String) -> String {
        project == RecordOutbox.noProject ? Keys.requests : Keys.traces(project: project)
    }

    /// Makes the consumer group of each project, unless it is there.
    package func join(_ projects: [String]) async throws(RedisError) {
        let replies = try await commands.send(
            batch: projects.map { RedisCommand("XGROUP", "CREATE", Self.stream(of: $0), group, "0", "MKSTREAM") })
        for reply in replies {
            do throws(RedisError) { _ = try reply.get() } catch  where error.serverCode == "BUSYGROUP" {}
        }
    }

    /// Ends the request log, where requests are not logged any longer (``RecordOutbox/end(of:through:)``).
    package func endLog(of projects: [String]) async throws(RedisError) {
        try await RecordOutbox.end(of: projects, through: commands)
    }

    /// Waits for entries of any of these projects. One task calls this.
    /// - Returns: up to `limit` of each; none if `wait` passed.
    package func read(_ projects: [String], upTo limit: Int, wait: Duration) async throws(RedisError) -> [Entry] {
        var command = RedisCommand(
            "XREADGROUP", "GROUP", group, consumer, "COUNT", limit, "BLOCK", Int(max(wait.milliseconds, 1)), "STREAMS")
        command.append(contentsOf: projects.map { Self.stream(of: $0) })
        command.append(contentsOf: projects.map { _ in ">" })
        return entries(in: try await reader.send(command, timeout: wait + .seconds(5)), of: projects)
    }

    /// Takes entries of a project that are there.
    package func read(_ project: String, upTo limit: Int) async throws(RedisError) -> [Entry] {
        let command = RedisCommand(
            "XREADGROUP", "GROUP", group, consumer, "COUNT", limit, "STREAMS", Self.stream(of: project), ">")
        return entries(in: try await commands.send(command), of: [project])
    }

    /// Says that this exporter is still at work on entries of one project.
    package func hold(_ entries: [Entry]) async throws(RedisError) {
        guard let project = entries.first?.project else { return }
        var command = RedisCommand("XCLAIM", Self.stream(of: project), group, consumer, 0)
        command.append(contentsOf: entries.map(\.entry))
        command.append("JUSTID")
        _ = try await commands.send(command)
    }

    private func entries(in reply: RedisValue, of projects: [String]) -> [Entry] {
        let byKey = Dictionary(projects.map { (UTF8Text(Self.stream(of: $0)), $0) }) { first, _ in first }
        return (reply.array ?? []).flatMap { stream in
            guard let project = stream[0].string.flatMap({ byKey[$0] }) else { return [Entry]() }
            return (stream[1].array ?? []).map { Entry(project, $0) }
        }
    }

    /// Takes over the entries that dead exporters of a project left, and those that were given to this one and never
    /// reached it. Entries that this one has left for others stay out.
    package func takeOver(_ project: String, upTo limit: Int) async throws(RedisError) -> [Entry] {
        let known = Set(aside.entries())
        let (key, idle) = (Self.stream(of: project), Int(Self.lostAfter.milliseconds))
        let idling = try await commands.send(
            RedisCommand("XPENDING", key, group, "IDLE", idle, "-", "+", limit + known.count))
        let wanted = (idling.array ?? []).compactMap(\.[0].string).filter {
            !known.contains(Self.name($0, of: project))
        }.prefix(limit)
        guard !wanted.isEmpty else { return [] }
        var command = RedisCommand("XCLAIM", key, group, consumer, idle)
        command.append(contentsOf: wanted)
        return (try await commands.send(command).array ?? []).map { Entry(project, $0) }
    }

    /// Leaves spans of one project that cannot be read here for exporters that can: they take them over as soon as they
    /// look, and this one does not for a while.
    package func leave(_ entries: [Entry]) async throws(RedisError) {
        guard let project = entries.first?.project else { return }
        for entry in entries { aside.add(Self.name(entry.entry, of: project), for: Self.leftFor) }
        var command = RedisCommand("XCLAIM", Self.stream(of: project), group, consumer, 0)
        command.append(contentsOf: entries.map(\.entry))
        command.append(contentsOf: ["IDLE", String((Self.lostAfter + .seconds(1)).milliseconds), "JUSTID"])
        _ = try await commands.send(command)
    }

    /// Entries of two projects may have the same id.
    private static func name(_ entry: String, of project: String) -> String { "\(entry) \(project)" }

    /// Gives back the entries that this exporter was given and has not settled: another one takes them over as soon as
    /// it looks.
    package func handBack(_ project: String) async throws(RedisError) {
        _ = try await commands.evaluate(
            SpanScripts.handBack, keys: [Self.stream(of: project)],
            arguments: group, consumer, Int(Self.lostAfter.milliseconds) + 1000)
    }

    /// The sealed spans, in the order of the entries; nil for one that is not kept any longer.
    package func spans(of entries: [Entry]) async throws(RedisError) -> [[UInt8]?] {
        let parts = stride(from: 0, to: entries.count, by: Self.readStep).map {
            entries[$0..<min($0 + Self.readStep, entries.count)]
        }
        let replies = try await commands.send(
            batch: parts.map { part in
                var command = RedisCommand("MGET")
                command.append(contentsOf: part.map { $0.id.map(Keys.span) ?? Self.noSpan })
                return command
            })
        var spans: [[UInt8]?] = []
        spans.reserveCapacity(entries.count)
        for (part, reply) in zip(parts, replies) {
            let reply = try reply.get()
            spans += part.indices.map { reply[$0 - part.startIndex].bytes }
        }
        return spans
    }

    /// Takes entries of one project off the outbox.
    /// - Parameter life: the time for which the spans are kept; zero for those that need not be sent again.
    /// - Returns: the number of those that had waited; the others were settled by another exporter, or made room.
    @discardableResult
    package func settle(_ entries: [Entry], keptFor life: Duration = Self.keptFor) async throws(RedisError) -> Int {
        guard let project = entries.first?.project else { return 0 }
        var settled = 0
        for start in stride(from: 0, to: entries.count, by: Self.settleStep) {
            let part = entries[start..<min(start + Self.settleStep, entries.count)]
            var keys = [
                Keys.traces(project: project), Keys.traceBytes, Keys.keptTraces, Keys.keptTraceBytes, Keys.requestBytes,
            ]
            keys += part.map { $0.id.map(Keys.span) ?? Self.noSpan }
            let reply = try await commands.evaluate(SpanScripts.settle, keys: keys) { command in
                command.append(contentsOf: [group, String(life.components.seconds), String(maximumBytes)])
                command.append(Keys.recorderGroup)
                command.append(contentsOf: part.flatMap { [$0.entry, String($0.size)] })
            }
            settled += reply.int ?? 0
        }
        return settled
    }

    /// Forgets spans of a project that are no longer needed, unless they wait for their export or the request log.
    package static func forget(
        _ ids: [InsertionID], of project: String, through redis: RedisClient
    ) async throws(RedisError) {
        _ = try await redis.evaluate(
            SpanScripts.forgetSettled, keys: [Keys.traces(project: project)] + ids.map(Keys.span),
            arguments: Int(keptFor.milliseconds), Keys.recorderGroup)
    }

    /// Says why a trace store takes no spans, for readers of the gateway's state. Forgotten after two minutes.
    package func note(trouble: String) async throws(RedisError) {
        _ = try await commands.send(RedisCommand("SET", Keys.traceTrouble, trouble, "EX", 120))
    }

    /// Bytes of all spans that wait.
    package func bytes() async throws(RedisError) -> Int {
        try await commands.send(RedisCommand("GET", Keys.traceBytes)).int ?? 0
    }

    /// Makes room: the oldest spans of a project's failed completions go.
    /// - Parameter bytes: the number of bytes that shall be free afterwards and are not now.
    /// - Returns: bytes and number of the spans that went.
    package func shedFailures(of project: String, bytes: Int) async throws(RedisError) -> (bytes: Int, count: Int) {
        var (freed, count, last) = (0, 0, "-")
        while freed < bytes {
            let page = try await page(of: project, after: last)
            guard let end = page.last else { break }
            last = "(" + end.entry
            let failures = page.filter(\.isFailure)
            guard !failures.isEmpty else { continue }
            let wanted = failures.prefix(1 + failures.partialSums(\.size).count { $0 < bytes - freed })
            let gone = try await shed(Array(wanted), of: project)
            freed += gone.bytes
            count += gone.count
        }
        return (freed, count)
    }

    /// Entries from the oldest on.
    /// - Parameter start: as XRANGE has it: `-`, or `(` and an entry's id.
    func page(of project: String, after start: String) async throws(RedisError) -> [Entry] {
        let reply = try await commands.send(
            RedisCommand("XRANGE", Self.stream(of: project), start, "+", "COUNT", Self.page))
        return (reply.array ?? []).map { Entry(project, $0) }
    }

    /// Takes entries off the outbox and forgets their spans.
    /// - Returns: bytes and number of those that had waited.
    func shed(_ entries: [Entry], of project: String) async throws(RedisError) -> (bytes: Int, count: Int) {
        guard !entries.isEmpty else { return (0, 0) }
        let keys =
            [Keys.traces(project: project), Keys.traceBytes, Keys.requestBytes, Keys.requestsLost]
            + entries.map { $0.id.map(Keys.span) ?? Self.noSpan }
        let gone = try await commands.evaluate(SpanScripts.shed, keys: keys) { command in
            command.append(group)
            command.append(Keys.recorderGroup)
            command.append(contentsOf: entries.flatMap { [$0.entry, String($0.size)] })
        }
        return (gone[0].int ?? 0, gone[1].int ?? 0)
    }

    /// Forgets exporters that are gone.
    package func forgetTheDead(of project: String) async throws(RedisError) {
        _ = try await commands.evaluate(
            SpanScripts.forget, keys: [Self.stream(of: project)], arguments: group, Int(Self.goneAfter.milliseconds))
    }
}

extension SpanOutbox.Entry {
    /// Reads an entry `[id, [field, value, …]]`. Its contents may be anything: others can write to Redis.
    fileprivate init(_ project: String, _ reply: RedisValue) {
        self.init(project: project, entry: reply[0].string ?? "", id: nil, size: 0, isFailure: false)
        let fields = reply[1].array ?? []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            switch fields[index].string {
            case "i": id = fields[index + 1].string.flatMap { InsertionID($0) }
            case "n": size = max(fields[index + 1].int ?? 0, 0)
            case "failed": isFailure = true
            case "p":
                record = fields[index + 1].bytes
                size = record?.count ?? 0
            default: continue
            }
        }
    }
}

extension Collection {
    /// The sums of the first element, of the first two, and so on.
    func partialSums(_ size: (Element) -> Int) -> [Int] {
        var sum = 0
        return map { element in
            sum += size(element)
            return sum
        }
    }
}

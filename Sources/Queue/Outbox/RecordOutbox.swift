internal import Common
package import Redis

/// The records of requests that wait for the request log: those of traced completions are the spans of the outbox, read
/// in a group of its own; the others stand on a stream for all projects. The first process that keeps the log makes
/// group and stream: until then nothing waits for it.
package struct RecordOutbox: Sendable {
    /// Stands for the stream of requests without a span. No project has this name.
    package static let noProject = "/"
    /// A consumer that reads the entries that are given up.
    private static let dropping = "dropped"
    private static let page = 500

    private let entries: SpanOutbox
    /// The most bytes that wait (`REQUEST_LOG_BYTES`). Beyond it the oldest are given up.
    package let maximumBytes: Int

    /// - Parameters:
    ///   - consumer: this reader's name in the groups; unique to the process.
    ///   - reader: a connection of its own, which `read` blocks.
    package init(consumer: String, commands: RedisClient, reader: RedisClient, maximumBytes: Int) {
        entries = SpanOutbox(
            consumer: consumer, of: Keys.recorderGroup, commands: commands, reader: reader, maximumBytes: .max)
        self.maximumBytes = maximumBytes
    }

    /// Makes the group of each project, and that of requests without a span, unless they are there.
    package func join(_ projects: [String]) async throws(RedisError) { try await entries.join(projects) }

    /// The projects whose spans were exported lately, those without keys by now among them.
    package func exportedProjects() async throws(RedisError) -> [String] {
        (try await entries.commands.send(RedisCommand("HKEYS", Keys.exportedProjects)).array ?? []).compactMap(\.string)
    }

    /// Waits for entries. One task calls this.
    /// - Parameter projects: with ``noProject``.
    /// - Returns: up to `limit` of each; none if `wait` passed.
    package func read(
        _ projects: [String], upTo limit: Int, wait: Duration
    ) async throws(RedisError) -> [SpanOutbox.Entry] {
        try await entries.read(projects, upTo: limit, wait: wait)
    }

    /// Takes over the entries that a reader before this one was given and has not settled.
    package func takeOver(_ project: String, upTo limit: Int) async throws(RedisError) -> [SpanOutbox.Entry] {
        let taken = try await entries.takeOver(project, upTo: limit)
        try await entries.forgetTheDead(of: project)
        return taken
    }

    /// Says that this reader is still at work on entries of one project.
    package func hold(_ held: [SpanOutbox.Entry]) async throws(RedisError) { try await entries.hold(held) }

    /// Leaves entries of one project that cannot be read here for a reader that can.
    package func leave(_ left: [SpanOutbox.Entry]) async throws(RedisError) { try await entries.leave(left) }

    /// Gives back the entries that this reader was given and has not settled.
    package func handBack(_ project: String) async throws(RedisError) { try await entries.handBack(project) }

    /// The sealed records, in the order of the entries; nil for one that is not kept any longer.
    package func records(of wanted: [SpanOutbox.Entry]) async throws(RedisError) -> [[UInt8]?] {
        let spans = wanted.filter { $0.record == nil }
        var found = (spans.isEmpty ? [] : try await entries.spans(of: spans)).makeIterator()
        return wanted.map { $0.record ?? found.next().flatMap(\.self) }
    }

    /// Takes entries of one project off the stream, whose rows are written or given up.
    /// - Parameter isLost: whether they have no rows.
    package func settle(_ settled: [SpanOutbox.Entry], isLost: Bool = false) async throws(RedisError) {
        guard let project = settled.first?.project else { return }
        var count = 0
        for start in stride(from: 0, to: settled.count, by: SpanOutbox.settleStep) {
            let part = settled[start..<min(start + SpanOutbox.settleStep, settled.count)]
            let keys = [SpanOutbox.stream(of: project), Keys.requestBytes]
            let reply = try await entries.commands.evaluate(SpanScripts.settleRecords, keys: keys) { command in
                command.append(Keys.recorderGroup)
                command.append(project == Self.noProject ? "" : Keys.exporterGroup)
                command.append(contentsOf: part.flatMap { [$0.entry, String($0.size)] })
            }
            count += reply.int ?? 0
        }
        guard isLost, count > 0 else { return }
        _ = try await entries.commands.send(RedisCommand("INCRBY", Keys.requestsLost, count))
    }

    /// Bytes that wait.
    package func bytes() async throws(RedisError) -> Int {
        try await entries.commands.send(RedisCommand("GET", Keys.requestBytes)).int ?? 0
    }

    /// Gives up the oldest records while more wait than may. Spans among them are exported all the same.
    /// - Returns: the number of records that were given up.
    package func trim(_ projects: [String]) async throws(RedisError) -> Int {
        guard try await bytes() > maximumBytes else { return 0 }
        let dropper = SpanOutbox(
            consumer: Self.dropping, of: Keys.recorderGroup, commands: entries.commands, reader: entries.commands,
            maximumBytes: .max)
        var count = 0
        while true {
            let excess = try await bytes() - maximumBytes
            guard excess > 0 else { return count }
            var given: [SpanOutbox.Entry] = []
            for project in projects + [Self.noProject] {
                given += (try? await dropper.takeOver(project, upTo: Self.page)) ?? []
                given += (try? await dropper.read(project, upTo: Self.page)) ?? []
            }
            guard !given.isEmpty else { return count }
            given.sort { $0.age < $1.age }
            let dropped = given.prefix(1 + given.partialSums(\.size).count { $0 < excess })
            for part in Dictionary(grouping: dropped, by: { UTF8Text($0.project) }).values {
                try await settle(part, isLost: true)
            }
            count += dropped.count
            // The others are the log's, as if they had been given to a reader that is gone.
            for project in Set(given.map { UTF8Text($0.project) }) { try await dropper.handBack(project.text) }
        }
    }

    /// Ends the log where requests are no longer logged. Entries that wait for it alone are deleted, and nothing more
    /// is kept for it.
    package static func end(of projects: [String], through redis: RedisClient) async throws(RedisError) {
        for project in projects {
            var last = "-"
            while !last.isEmpty {
                let reply = try await redis.evaluate(
                    SpanScripts.endLog, keys: [Keys.traces(project: project)],
                    arguments: Keys.recorderGroup, Keys.exporterGroup, last == "-" ? last : "(" + last)
                last = reply.string ?? ""
            }
        }
        _ = try await redis.send(RedisCommand("DEL", Keys.requests, Keys.requestBytes))
    }
}

extension SpanOutbox.Entry {
    /// The time at which it was added: the two numbers of its id.
    fileprivate var age: (UInt64, UInt64) {
        let parts = entry.split(separator: "-").map { UInt64($0) ?? 0 }
        return (parts.first ?? 0, parts.last ?? 0)
    }
}

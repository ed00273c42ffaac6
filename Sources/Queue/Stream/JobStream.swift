package import Common
package import Redis

/// A worker's side of a queue: it takes entries, sends frames of answers, and acknowledges last, as their owner
/// (architecture §2.2, §2.4).
package struct JobStream: Sendable {
    /// The consumer that never lives. Entries that are handed back to it go to the next worker that looks.
    static let released = "released"
    /// The time for which a worker counts as alive after a heartbeat.
    package static let livenessTTL = Duration.seconds(15)
    /// A dead letter keeps its job only up to this size, so that the dead letters stay bounded in bytes too.
    package static let deadLetterBytes = 64 << 10
    /// Bytes taken over at once: few enough to arrive in time by any network. A single larger job is taken over alone.
    private static let claimBytes = 16 << 20
    /// The time after which a job that was given to a worker counts as lost. It is longer than a wait for Redis, and
    /// shorter than a worker has left to live. Until then the worker's entries stay its own.
    package static let lostAfter = Duration.seconds(10)
    /// The most by which clocks may differ, and by which an ingress waits beyond its deadline.
    static let margin = Duration.seconds(5)

    /// The parts of a job's end besides its last frame.
    package struct Ending: Sendable {
        /// The rollout whose set loses the id, because the completion did not succeed. Nil: the id stays, or there is
        /// no set.
        package var removeFrom: RolloutKeys?
        /// The completion's trace, if it has one.
        package var span: Span?
        /// The reason why the job is given up for good, if it is.
        package var deadLetterReason: String?

        /// The Redis key to free, so that a repeated request is a new job: this job's answer asks for another attempt.
        package var frees: String?
        /// The time for which the answer is kept under the job's own key, if it is sent there.
        package var answerLife: Duration
        /// The corrections of the rate limits on tokens.
        package var settlements: [Settlement]
        /// The rest of what was reserved for the answer; nil: it is free again by itself, or there is none.
        package var reservation: KeptBytes.Reservation?

        package init(
            removeFrom: RolloutKeys? = nil, span: Span? = nil, deadLetterReason: String? = nil, frees: String? = nil,
            answerLife: Duration = Job.fetchableLife, settlements: [Settlement] = [],
            reservation: KeptBytes.Reservation? = nil
        ) {
            self.reservation = reservation
            self.settlements = settlements
            self.removeFrom = removeFrom
            self.span = span
            self.deadLetterReason = deadLetterReason
            self.frees = frees
            self.answerLife = answerLife
        }
    }

    /// The outcome of sending a frame in the middle of an answer.
    package enum Delivered: Sendable, Equatable {
        /// - Parameter keptBytes: bytes that are kept for later.
        case sent(keptBytes: Int)
        /// The job is another's by now.
        case lost
        /// There is no room to keep more of the answer. The part that was kept has been deleted; the job is still this
        /// worker's.
        case full
    }

    /// The correction of one charge, where it stands.
    package struct Settlement: Sendable, Equatable {
        package var counter: String
        package var slot: Int
        package var difference: Int
    }

    /// A request's record on its way to the project's trace store and to the request log, or to one of them.
    package struct Span: Sendable {
        package var project: String
        package var sealed: [UInt8]
        /// The time for which it may wait for its export.
        package var life: Duration
        /// Whether the project's trace store gets it.
        package var isExported: Bool
        /// Whether the request log gets it.
        package var isLogged: Bool

        package init(
            project: String, sealed: [UInt8], life: Duration, isExported: Bool = true, isLogged: Bool = false
        ) {
            self.project = project
            self.sealed = sealed
            self.life = life
            self.isExported = isExported
            self.isLogged = isLogged
        }
    }

    /// This worker's name in the consumer group; unique to the process.
    package let consumer: String
    /// Whether this worker makes calls with keys of the operator's, as it is now.
    package var lendsKeys: @Sendable () -> Bool = { false }
    let queue: WorkQueue
    let commands: RedisClient
    private let reader: RedisClient
    let longestWait: Duration
    let aside = EntriesForOthers(limit: 1000)
    let deliveries: StepBatcher<DeliverStep>
    let endings: StepBatcher<FinishStep>

    /// - Parameters:
    ///   - commands: the connection for everything that answers at once; callbacks are called on its event loop.
    ///   - reader: a connection of its own for `read`, which blocks it.
    ///   - keptLimit: the most bytes that are kept for later (`KEPT_BYTES`).
    ///   - longestWait: the longest that a client waits for the answer to an entry (`REQUEST_TIMEOUT`).
    package init(
        _ queue: WorkQueue = .completions, consumer: String, commands: RedisClient, reader: RedisClient,
        deadLetterLimit: Int, keptLimit: Int = .max, longestWait: Duration = .seconds(300)
    ) {
        self.longestWait = longestWait
        self.queue = queue
        self.consumer = consumer
        self.commands = commands
        self.reader = reader
        deliveries = StepBatcher(on: commands.eventLoop) { steps in
            DeliverStep.send(steps, on: queue, as: consumer, keptLimit: keptLimit, over: commands)
        }
        endings = StepBatcher(on: commands.eventLoop) { steps in
            FinishStep.send(steps, on: queue, as: consumer, deadLetterLimit: deadLetterLimit, over: commands)
        }
    }

    /// Makes the consumer group and this consumer, unless they are there.
    package func join() async throws(RedisError) {
        do {
            // Created at 0, so that `lag` is known and nothing queued before is passed over.
            _ = try await commands.send(RedisCommand("XGROUP", "CREATE", queue.stream, queue.group, "0", "MKSTREAM"))
        } catch  where error.serverCode == "BUSYGROUP" {}
        _ = try await commands.send(RedisCommand("XGROUP", "CREATECONSUMER", queue.stream, queue.group, consumer))
    }

    /// Notes that a completion has ended of which the gateway has no span. The note lasts for as long as the completion
    /// could have run. If the note is lost, the completion counts as in flight for as long.
    func noteEnd(of id: InsertionID, in rollout: Rollout) {
        let key = Keys.ended(of: rollout)
        let life = Int((longestWait + Self.margin).components.seconds)
        commands.send(RedisCommand("SADD", key, id.description)) { _ in }
        commands.send(RedisCommand("EXPIRE", key, life)) { _ in }
    }

    /// Tells the others that this worker lives.
    /// - Returns: the Redis server's clock.
    package func beat() async throws(RedisError) -> Timestamp {
        let replies = try await commands.send(batch: [
            RedisCommand(
                "SET", queue.livenessPrefix + consumer, lendsKeys() ? LiveWorkers.lending : "alive", "EX",
                Int(Self.livenessTTL.components.seconds)),
            RedisCommand("TIME"),
        ])
        _ = try replies[0].get()
        let time = try replies[1].get()
        let whole = UInt64(clamping: time[0].int ?? 0).multipliedReportingOverflow(by: 1000).partialValue
        return Timestamp(milliseconds: whole + UInt64(clamping: time[1].int ?? 0) / 1000)
    }

    /// Stops counting as alive.
    package func leave() async throws(RedisError) {
        _ = try await commands.send(RedisCommand("DEL", queue.livenessPrefix + consumer))
    }

    /// Waits for entries.
    /// - Returns: up to `limit` of them; none if `wait` passed.
    package func read(upTo limit: Int, wait: Duration) async throws(RedisError) -> [Delivery] {
        let command = RedisCommand(
            "XREADGROUP", "GROUP", queue.group, consumer, "COUNT", limit, "BLOCK", Int(wait.milliseconds), "STREAMS",
            queue.stream, ">")
        let reply = try await reader.send(command, timeout: wait + .seconds(5))
        return (reply[0][1].array ?? []).map {
            Delivery(entry: $0[0], fields: $0[1], on: queue, count: 1, isTakenOver: false)
        }
    }

    /// Takes over the entries that dead workers left behind, and those that were given to this one and never reached
    /// it.
    /// - Parameters:
    ///   - running: the entries that this worker works on.
    ///   - now: the time by the Redis server's clock. A server that comes to it too long after gives nothing.
    package func claim(
        upTo limit: Int, running: [String], now: Timestamp
    ) async throws(RedisError) -> [Delivery] {
        // On the reader's connection, between two reads: a large reply there holds up no answer.
        let reply = try await reader.evaluate(JobScripts.claim, keys: [queue.stream], timeout: Self.lostAfter) {
            command in
            command.append(contentsOf: [queue.group, consumer, String(limit), queue.livenessPrefix])
            command.append(contentsOf: [
                Self.claimBytes, Int(Self.lostAfter.milliseconds), Int(clamping: now.milliseconds),
            ])
            command.append(contentsOf: running + aside.entries())
        }
        return (reply.array ?? []).map {
            Delivery(entry: $0[0], fields: $0[2], on: queue, count: min($0[1].int ?? 0, 1 << 30) + 1, isTakenOver: true)
        }
    }

    /// Looks up the cancellations of these jobs; a job that is still wanted has none.
    package func cancelled(among ids: [InsertionID]) async throws(RedisError) -> [InsertionID: Cancellation] {
        guard !ids.isEmpty else { return [:] }
        var command = RedisCommand("MGET")
        command.append(contentsOf: ids.map(Keys.cancelled))
        let reply = try await commands.send(command)
        let marked = zip(ids, reply.array ?? []).filter { !$0.1.isNull }
        return Dictionary(marked.map { ($0, Cancellation(marker: $1)) }) { first, _ in first }
    }

    /// The bytes of each answer that its reader has taken, where that is known.
    package func credits(of ids: [InsertionID]) async throws(RedisError) -> [InsertionID: Int] {
        guard !ids.isEmpty else { return [:] }
        var command = RedisCommand("MGET")
        command.append(contentsOf: ids.map(Keys.credit))
        let reply = try await commands.send(command)
        return Dictionary(
            uniqueKeysWithValues: zip(ids, reply.array ?? []).compactMap { id, value in value.int.map { (id, $0) } })
    }
}

extension JobStream {
    /// Sends a frame in the middle of an answer, together with those of other jobs of the turn. From now on the call is
    /// not repeated.
    /// - Parameters:
    ///   - sealed: the frame; nil if it goes to a client in this process.
    ///   - keptBytes: bytes of the answer that are kept for later by now; nil: the frame is sent in any case.
    ///   - completion: is called on the event loop of the connection. If the job is another's by now, nothing was sent
    ///     and the call is to be dropped.
    package func deliver(
        _ sealed: [UInt8]?, of job: Job, in delivery: Delivery, markerTTL: Duration, keptBytes: Int? = nil,
        completion: @escaping @Sendable (Result<Delivered, RedisError>) -> Void
    ) {
        deliveries.submit(
            DeliverStep(
                entry: delivery.entry, id: job.insertionID, responseKey: job.responseKey, sealed: sealed ?? [],
                answerLife: job.answerLife,
                markerTTL: markerTTL, keptBytes: keptBytes,
                reservationEnd: KeptBytes.Reservation(of: job).end, completion: completion))
    }

    /// Sends a frame in the middle of an answer and waits until Redis has said whether the job is this worker's.
    package func deliver(
        _ sealed: [UInt8]?, of job: Job, in delivery: Delivery, markerTTL: Duration
    ) async throws(RedisError) -> Bool {
        try await result { completion in
            deliver(sealed, of: job, in: delivery, markerTTL: markerTTL) { result in
                completion(result.map { $0 != .lost })
            }
        }
    }

    /// Ends a job: its last frame, the set, the trace, the dead letter, the acknowledgement, in one step; together with
    /// those of other jobs of the turn.
    /// - Parameters:
    ///   - sealed: the last frame; nil if no client is to be answered.
    ///   - completion: is called on the event loop of the connection; with false if the job is another's by now. Then
    ///     nothing happened.
    package func finish(
        _ delivery: Delivery, id: InsertionID?, responseKey: String?, sealed: [UInt8]?, ending: Ending,
        completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void
    ) {
        endings.submit(
            FinishStep(
                entry: delivery.entry, size: delivery.size, id: id, ownKey: delivery.ownKey, responseKey: responseKey,
                sealed: sealed ?? [],
                ending: ending,
                completion: completion))
    }

    /// Ends a job and waits until Redis has said whether it was this worker's.
    package func finish(
        _ delivery: Delivery, id: InsertionID?, responseKey: String?, sealed: [UInt8]?, ending: Ending
    ) async throws(RedisError) -> Bool {
        try await result { completion in
            finish(delivery, id: id, responseKey: responseKey, sealed: sealed, ending: ending, completion: completion)
        }
    }

    private func result(
        _ submit: (@escaping @Sendable (Result<Bool, RedisError>) -> Void) -> Void
    ) async throws(RedisError) -> Bool {
        try await withCheckedContinuation { continuation in submit { continuation.resume(returning: $0) } }.get()
    }
}

extension JobStream {
    /// Reads the own keys of the entries that are sealed under one. No other keys are asked for.
    package func readKeys(of deliveries: [Delivery]) async throws(RedisError) -> [Delivery] {
        let keys = deliveries.compactMap(\.ownKey)
        guard !keys.isEmpty else { return deliveries }
        var command = RedisCommand("MGET")
        command.append(contentsOf: keys)
        var found = (try await commands.send(command).array ?? []).makeIterator()
        return deliveries.map { delivery in
            var delivery = delivery
            if delivery.ownKey != nil { delivery.note(key: found.next()?.bytes) }
            return delivery
        }
    }
}

/// Steps that few jobs need, each a command of its own. Completions are called on the event loop of the connection.
extension JobStream {
    /// Looks whether a job has ended as this worker meant to end it: no consumer holds its entry, and its rollout's set
    /// agrees. The set tells if another worker took the job over and ended it otherwise.
    /// - Parameter set: the key of the rollout's set; nil if the job has none.
    func hasEnded(
        _ delivery: Delivery, _ id: InsertionID, recordedIn set: String?, succeeded: Bool,
        completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void
    ) {
        commands.evaluate(JobScripts.hasEnded, keyCount: 2) { [queue] command in
            for text in [queue.stream, set ?? "", queue.group, delivery.entry, id.description] { command.append(text) }
            command.append(succeeded ? 1 : 0)
        } completion: { result in
            completion(result.map { $0.int == 1 })
        }
    }

    func hasEnded(
        _ delivery: Delivery, _ id: InsertionID, recordedIn set: String?, succeeded: Bool
    ) async throws(RedisError) -> Bool {
        try await result { hasEnded(delivery, id, recordedIn: set, succeeded: succeeded, completion: $0) }
    }

    /// Hands entries back without counting this delivery. The result tells whether all of them were this worker's.
    func release(_ entries: [String], completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void) {
        commands.evaluate(JobScripts.release, keyCount: 1) { [queue, consumer] command in
            for text in [queue.stream, queue.group, consumer, Self.released] + entries { command.append(text) }
        } completion: { result in
            completion(result.map { $0.int == entries.count })
        }
    }

    func release(_ entries: [String]) async throws(RedisError) {
        _ = try await result { release(entries, completion: $0) }
    }

    /// Leaves an entry that cannot be read here for workers that can read it: it is handed back, and not taken again.
    /// The result is false if the entry is so old that nothing waits for it. It is then still this worker's.
    func leave(_ delivery: Delivery, completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void) {
        commands.evaluate(JobScripts.leave, keyCount: 1) { [queue, consumer, longestWait] command in
            for text in [queue.stream, queue.group, consumer, Self.released, delivery.entry] { command.append(text) }
            command.append(Int((longestWait + Self.margin).milliseconds))
        } completion: { [aside] result in
            completion(
                result.map { reply in
                    guard let left = reply.int, left > 0 else { return false }
                    aside.add(delivery.entry, for: .milliseconds(left))
                    return true
                })
        }
    }

    func leave(_ delivery: Delivery) async throws(RedisError) -> Bool {
        try await result { leave(delivery, completion: $0) }
    }

    /// Looks whether the first bytes of a job's answer were already on their way when its former owner was lost.
    func hasStarted(_ id: InsertionID, completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void) {
        commands.send(RedisCommand("EXISTS", Keys.started(id))) { result in completion(result.map { $0.int == 1 }) }
    }

    func hasStarted(_ id: InsertionID) async throws(RedisError) -> Bool {
        try await result { hasStarted(id, completion: $0) }
    }
}

package import Common
package import Redis

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
    /// Reads the keys of their own under which some entries are sealed. No others are asked for.
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

    /// Hands entries back without counting this delivery. Says whether all of them were this worker's.
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

    /// Leaves an entry that cannot be read here for those who can: it is handed back, and not taken again. Says false
    /// if it is so old that nothing waits for it; then it is still this worker's.
    func leave(_ delivery: Delivery, completion: @escaping @Sendable (Result<Bool, RedisError>) -> Void) {
        commands.evaluate(JobScripts.leave, keyCount: 1) { [queue, consumer, patience] command in
            for text in [queue.stream, queue.group, consumer, Self.released, delivery.entry] { command.append(text) }
            command.append(Int((patience + Self.margin).milliseconds))
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

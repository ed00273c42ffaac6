internal import Common
internal import Redis

/// One frame's part in a batch of ``JobScripts/deliver``, and the caller that waits for the result.
struct DeliverStep: BatchedStep {
    let entry: String
    let id: InsertionID
    let responseKey: String
    /// Empty: the frame goes another way.
    let sealed: [UInt8]
    let answerLife: Duration
    let markerTTL: Duration
    /// Bytes of the answer that are kept by now; nil: the bound on them is not asked for.
    let keptBytes: Int?
    /// When what is reserved for the answer is free again.
    let reservationEnd: Timestamp
    /// Called on the connection's event loop.
    let completion: @Sendable (Result<JobStream.Delivered, RedisError>) -> Void

    var byteCount: Int { sealed.count + StepBatches.shortBytes }
    var group: String? { nil }

    static func send(
        _ steps: [Self], on queue: WorkQueue, as consumer: String, keptLimit: Int, over redis: RedisClient
    ) {
        redis.evaluate(JobScripts.deliver, keyCount: 2 + 3 * steps.count) { command in
            for key in [queue.stream, Keys.kept] { command.append(key) }
            for step in steps {
                command.append(step.responseKey)
                command.append(Keys.response(step.id))
                command.append(Keys.started(step.id))
            }
            for text in [queue.group, consumer] { command.append(text) }
            command.append(keptLimit)
            for step in steps {
                command.append(step.entry)
                command.append(step.id.description)
                command.append(step.sealed)
                command.append(Int(step.answerLife.components.seconds))
                command.append(Int(step.markerTTL.milliseconds))
                if let bytes = step.keptBytes { command.append(bytes) } else { command.append("") }
                command.append(step.reservationEnd)
            }
        } completion: { result in
            for (place, step) in steps.enumerated() { step.completion(result.delivered(at: place)) }
        }
    }
}

/// The end of one job in a batch of ``JobScripts/finish``, and the caller that waits for the result.
struct FinishStep: BatchedStep {
    let entry: String
    /// Bytes of the entry's payload.
    let size: Int
    /// Nil for an entry that is no job; its keys are those of no job, and are not touched.
    let id: InsertionID?
    /// The key of its own under which the job is sealed (a Redis key); nil: it has none.
    let ownKey: String?
    let responseKey: String?
    /// Empty: no client is to be answered.
    let sealed: [UInt8]
    let ending: JobStream.Ending
    /// Called on the connection's event loop.
    let completion: @Sendable (Result<Bool, RedisError>) -> Void

    var byteCount: Int {
        // The rollout's name stands in four keys.
        sealed.count + (ending.span?.sealed.count ?? 0) + 4 * (ending.removeFrom?.set.utf8.count ?? 0)
            + (ending.deadLetterReason?.utf8.count ?? 0) + 128 * ending.settlements.count + StepBatches.shortBytes
    }
    var group: String? { nil }

    static func send(
        _ steps: [Self], on queue: WorkQueue, as consumer: String, deadLetterLimit: Int, over redis: RedisClient
    ) {
        let settlements = steps.flatMap(\.ending.settlements)
        redis.evaluate(JobScripts.finish, keyCount: 6 + 11 * steps.count + settlements.count) { command in
            for key in [queue.stream, queue.bytes, Keys.dead, Keys.traceBytes] { command.append(key) }
            let isLogged = steps.contains { $0.ending.span?.isLogged ?? false }
            command.append(isLogged ? Keys.requestBytes : "")
            command.append(Keys.kept)
            for step in steps { step.appendKeys(to: &command) }
            for settlement in settlements { command.append(Keys.rateAmounts(settlement.counter)) }
            for text in [queue.group, consumer] { command.append(text) }
            for number in [deadLetterLimit, JobStream.deadLetterBytes, steps.count] { command.append(number) }
            for step in steps { step.appendArguments(to: &command) }
            for settlement in settlements {
                command.append(settlement.slot)
                command.append(settlement.difference)
            }
        } completion: { result in
            for (place, step) in steps.enumerated() { step.completion(result.isOwner(at: place)) }
        }
    }

    private func appendKeys(to command: inout RedisCommand) {
        let own = id.map(Keys.response) ?? ""
        command.append(responseKey ?? own)
        command.append(own)
        command.append(id.map(Keys.started) ?? "")
        let rollout = ending.removeFrom
        command.append(rollout?.set ?? "")
        command.append(rollout?.verdict ?? "")
        command.append(rollout?.record ?? "")
        command.append(rollout?.count ?? "")
        if let id, let span = ending.span {
            command.append(span.isExported ? Keys.span(id) : "")
            command.append(span.isExported ? Keys.traces(project: span.project) : Keys.requests)
        } else {
            command.append("")
            command.append("")
        }
        command.append(ending.frees ?? "")
        command.append(ownKey ?? "")
    }

    private func appendArguments(to command: inout RedisCommand) {
        command.append(entry)
        command.append(id?.description ?? "unknown")
        command.append(sealed)
        command.append(Int(ending.answerLife.components.seconds))
        command.append(ending.deadLetterReason ?? "")
        command.append(size)
        command.append(ending.span?.sealed ?? [])
        command.append(Int(ending.span?.life.components.seconds ?? 0))
        command.append(ending.reservation?.bytes ?? 0)
        command.append(ending.reservation?.end ?? .epoch)
        command.append(ending.settlements.count)
    }
}

extension Result<RedisValue, RedisError> {
    /// The script's answer for one frame of the batch.
    fileprivate func delivered(at place: Int) -> Result<JobStream.Delivered, RedisError> {
        flatMap { reply in
            Result<JobStream.Delivered, RedisError> { () throws(RedisError) in
                switch try reply[place].get().int {
                case -2: .full
                case let bytes? where bytes >= 0: .sent(keptBytes: bytes)
                default: .lost
                }
            }
        }
    }

    /// The script's answer for one job of the batch: whether the job was this worker's.
    fileprivate func isOwner(at place: Int) -> Result<Bool, RedisError> {
        flatMap { reply in Result<Bool, RedisError> { () throws(RedisError) in try reply[place].get().int == 1 } }
    }
}

internal import Common
internal import Redis

/// One job's part in a batch of ``JobScripts/enqueue``, and the caller that waits for the result. A class, since it
/// moves from list to list.
final class EnqueueStep: BatchedStep {
    /// The script's keys that are common to a batch.
    static let commonKeys = 4
    /// The keys that each job adds, but for those of its limits.
    static let keys = 8

    let job: Job
    let sealed: [UInt8]
    /// The sealed key of its own under which the job is sealed; nil: it has none.
    let wrappedKey: [UInt8]?
    /// Nil for a call without a rollout.
    let rollout: RolloutKeys?
    /// Whether the lives of what is kept of the rollout are renewed.
    let renews: Bool
    /// Takes an entry in the same step; nil: none is taken for this job.
    let consumer: String?
    /// More than a charge's keys and arguments have together.
    private static let chargeBytes = 512

    /// Until when this step is wanted, by the server's clock; nil: not known.
    let latest: Timestamp?
    /// Called on the connection's event loop.
    let completion: @Sendable (Result<JobAdmission.Reply, RedisError>) -> Void

    init(
        job: Job, sealed: [UInt8], wrappedKey: [UInt8]? = nil, rollout: RolloutKeys?, renews: Bool, consumer: String?,
        latest: Timestamp?, completion: @escaping @Sendable (Result<JobAdmission.Reply, RedisError>) -> Void
    ) {
        (self.job, self.sealed, self.wrappedKey) = (job, sealed, wrappedKey)
        (self.rollout, self.renews, self.consumer) = (rollout, renews, consumer)
        (self.latest, self.completion) = (latest, completion)
    }

    /// A script gives jobs to one consumer.
    var group: String? { consumer }

    var byteCount: Int {
        // The rollout's name stands in four keys and an argument.
        let own = sealed.count + job.charges.count * Self.chargeBytes + StepBatches.shortBytes
        guard let ids = job.rollout else { return own }
        let names =
            5 * ids.rollout.utf8.count + ids.invocation.utf8.count + ids.experiment.utf8.count + ids.run.utf8.count
        return own + names
    }

    func appendKeys(to command: inout RedisCommand) {
        command.append(rollout?.set ?? "")
        command.append(rollout?.verdict ?? "")
        command.append(rollout?.record ?? "")
        command.append(rollout?.list ?? "")
        command.append(rollout?.count ?? "")
        let isFetchable = job.isFetchable
        command.append(isFetchable ? Keys.record(job.insertionID) : "")
        // Only an answer that is kept can be had again.
        command.append(isFetchable ? job.idempotency?.key ?? "" : "")
        command.append(wrappedKey == nil ? "" : Keys.jobKey(job.insertionID))
    }

    func appendArguments(to command: inout RedisCommand) {
        command.append(job.insertionID.description)
        command.append(sealed)
        if let latest { command.append(latest) } else { command.append("") }
        let now = Timestamp.now
        command.append(job.project)
        command.append(job.account ?? "")
        command.append(now)
        command.append(job.deadline.timestamp)
        command.append(Int(max(job.remaining(), .zero).milliseconds) + Int(job.answerLife.milliseconds))
        command.append(job.idempotency?.fingerprint ?? [])
        command.append(job.rollout?.rollout ?? "")
        command.append(job.rollout?.invocation ?? "")
        command.append(job.rollout?.experiment ?? "")
        command.append(job.rollout?.run ?? "")
        command.append(renews ? "1" : "")
        command.append(consumer == nil ? "" : "1")
        command.append(wrappedKey ?? [])
        if job.isFetchable { command.append(KeptBytes.Reservation(of: job).end) } else { command.append("") }
        command.append(job.charges.count)
    }
}

extension EnqueueStep {
    /// Divides the script's reply for a batch among its steps. Each entry that the consumer was given goes to the
    /// step of its job, and the others to the steps that took a slot and did not get their own.
    /// - Parameter limits: those of the batch.
    static func replies(
        _ reply: RedisValue, to steps: [EnqueueStep], countedOn limits: BatchLimits, on queue: WorkQueue
    ) -> [Result<JobAdmission.Reply, RedisError>] {
        let counts = limits.counts(of: steps, results: reply[1], usage: reply[3])
        var replies = steps.indices.map { place in
            Result { () throws(RedisError) in
                let outcome = JobAdmission.Outcome(
                    try reply[1][place].get(), usage: counts.isEmpty ? [] : counts[place].usage)
                return JobAdmission.Reply(outcome: outcome, given: nil)
            }
        }
        var others: [Delivery] = []
        for given in reply[2].array ?? [] {
            let place = (given[1].int ?? 0) - 1
            guard steps.indices.contains(place) else {
                others.append(Delivery(entry: given[0], fields: given[2], on: queue, count: 1, isTakenOver: false))
                continue
            }
            let step = steps[place]
            let delivery = Delivery(
                step.job, entry: given[0].string ?? "", on: queue, size: step.sealed.count,
                slots: counts.isEmpty ? [] : counts[place].slots)
            if step.consumer != nil, case .success(let own) = replies[place] {
                replies[place] = .success(JobAdmission.Reply(outcome: own.outcome, given: .this(delivery)))
            } else {
                others.append(delivery)
            }
        }
        var left = others.makeIterator()
        for place in steps.indices where steps[place].consumer != nil {
            guard case .success(let own) = replies[place], case .queued = own.outcome, own.given == nil else {
                continue
            }
            guard let delivery = left.next() else { break }
            replies[place] = .success(JobAdmission.Reply(outcome: own.outcome, given: .older(delivery)))
        }
        return replies
    }
}

extension JobAdmission.Outcome {
    /// Reads what the script says of one job.
    /// - Parameter usage: of each of its charges, if it was queued.
    init(_ result: RedisValue, usage: [RateUsage]) {
        if case .array(let values) = result {
            let number = { (place: Int) in values.indices.contains(place) ? values[place].int ?? 0 : 0 }
            self = .overLimit(charge: number(1) - 1, RateUsage(bounding: number(2), number(3)))
            return
        }
        guard case .integer(let code) = result else {
            if let id = result.string.flatMap({ InsertionID($0) }) {
                self = .repeats(id)
            } else {
                self = .queued(length: result.int ?? 0, usage: usage)
            }
            return
        }
        switch code {
        case -1: self = .tooManyEntries
        case -2: self = .tooManyBytes
        case -3: self = .notASet
        case -4: self = .anotherRequest
        case -5: self = .tooLate
        case -6: self = .tooManySpans
        case -8: self = .tooMuchKept
        case let length: self = .queued(length: length, usage: usage)
        }
    }
}

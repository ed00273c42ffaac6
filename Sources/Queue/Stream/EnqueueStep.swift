internal import Common
internal import Redis

/// What the queueing of one job adds to ``JobScripts/enqueue``, and who waits for the result.
struct EnqueueStep: BatchedStep {
    /// The script's keys that are common to a batch.
    static let commonKeys = 3
    /// The keys that each job adds, but for those of its charges.
    static let keys = 8
    /// The keys that each charge adds.
    static let chargeKeys = 2

    let job: Job
    let sealed: [UInt8]
    /// The sealed key of its own under which the job is sealed; nil: it has none.
    var wrappedKey: [UInt8]?
    /// Nil for a call without a rollout.
    let rollout: RolloutKeys?
    /// Whether the lives of what is kept of the rollout are renewed.
    let renews: Bool
    /// Takes an entry in the same step; nil: none is taken for this job.
    let consumer: String?
    /// More than a charge's keys and arguments have together.
    private static let chargeBytes = 512

    /// Until when this step is wanted, by the server's clock in milliseconds since 1970; nil: not known.
    let latest: Int?
    /// Called on the connection's event loop.
    let completion: @Sendable (Result<JobAdmission.Reply, RedisError>) -> Void

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
        if let rollout {
            for key in [rollout.set, rollout.verdict, rollout.record, rollout.list, rollout.count] {
                command.append(key)
            }
        } else {
            for _ in 0..<5 { command.append("") }
        }
        command.append(job.isFetchable ? Keys.record(job.insertionID) : "")
        // Only an answer that is kept can be had again.
        command.append(job.isFetchable ? job.idempotency?.key ?? "" : "")
        command.append(wrappedKey == nil ? "" : Keys.jobKey(job.insertionID))
    }

    func appendArguments(to command: inout RedisCommand) {
        command.append(job.insertionID.description)
        command.append(sealed)
        command.append(latest.map(String.init) ?? "")
        let now = UnixTime.milliseconds
        for text in [job.project, job.account ?? "", String(now), String(job.deadline)] { command.append(text) }
        command.append(max(Int(clamping: job.deadline) - Int(clamping: now), 0) + Int(job.answerLife.milliseconds))
        command.append(job.idempotency?.fingerprint ?? [])
        let ids = job.rollout.map { [$0.rollout, $0.invocation, $0.experiment, $0.run] } ?? ["", "", "", ""]
        for text in ids { command.append(text) }
        command.append(renews ? "1" : "")
        command.append(consumer == nil ? "" : "1")
        command.append(wrappedKey ?? [])
        command.append(job.charges.count)
    }

    func appendChargeKeys(to command: inout RedisCommand) {
        for charge in job.charges {
            command.append(Keys.rateSlots(charge.counter))
            command.append(Keys.rateAmounts(charge.counter))
        }
    }

    func appendChargeArguments(to command: inout RedisCommand) {
        for charge in job.charges {
            for number in [charge.amount, charge.limit, charge.window] { command.append(number) }
            for flag in [charge.isEnforced, charge.isSettled] { command.append(flag ? "1" : "") }
        }
    }
}

extension EnqueueStep {
    /// What the script says of a batch, divided among its steps. Each entry that the consumer was given goes to the
    /// step of its job, and the others to the steps that took a slot and did not get their own.
    static func replies(
        _ reply: RedisValue, to steps: [EnqueueStep], on queue: WorkQueue
    ) -> [Result<JobAdmission.Reply, RedisError>] {
        var replies = steps.indices.map { place in
            Result { () throws(RedisError) in
                JobAdmission.Reply(outcome: JobAdmission.Outcome(try reply[1][place].get()), given: nil)
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
                slots: step.slots(reply[1][place]))
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

extension EnqueueStep {
    /// Where the charges stand that the job's end corrects.
    fileprivate func slots(_ result: RedisValue) -> [Int] {
        let values = result.array ?? []
        return job.charges.enumerated().compactMap { place, charge in
            charge.isSettled && values.indices.contains(3 * place + 3) ? values[3 * place + 3].int : nil
        }
    }
}

extension JobAdmission.Outcome {
    /// Reads what the script says of one job.
    init(_ result: RedisValue) {
        if let id = result.string.flatMap({ InsertionID($0) }) {
            self = .repeats(id)
            return
        }
        if let values = result.array {
            self.init(values.map { $0.int ?? 0 })
            return
        }
        switch result.int ?? 0 {
        case -1: self = .tooManyEntries
        case -2: self = .tooManyBytes
        case -3: self = .notASet
        case -4: self = .anotherRequest
        case -5: self = .tooLate
        case -6: self = .tooManySpans
        case let length: self = .queued(length: length, usage: [])
        }
    }

    /// Reads what the script says of one job that has charges.
    private init(_ values: [Int]) {
        if values.count == 4, values[0] == -7 {
            self = .overLimit(charge: values[1] - 1, RateUsage(bounding: values[2], values[3]))
            return
        }
        let usage = stride(from: 1, to: values.count - 2, by: 3).map { place in
            RateUsage(bounding: values[place], values[place + 1])
        }
        self = .queued(length: values.first ?? 0, usage: usage)
    }
}

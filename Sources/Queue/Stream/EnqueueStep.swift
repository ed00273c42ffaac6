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

    /// The time until which this step is wanted, by the server's clock; nil: not known.
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
        command.append(isFetchable ? Keys.jobRecord(job.insertionID) : "")
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
    /// Divides the script's reply for a batch among its steps. Each entry that the consumer was given goes to the step
    /// of its job. The others go to the steps that took a slot and did not get their own entry.
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
    /// Reads the script's result for one job.
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

extension JobScripts {
    /// Records insertion ids and queues their jobs, as far as the queue has room (architecture §2.1). Each job of the
    /// batch has a result of its own: neither an error nor a refusal of one changes another. The bounds are exact,
    /// since the script counts what it adds.
    ///
    /// KEYS of the batch:
    /// - KEYS[1]: the job stream
    /// - KEYS[2]: its byte counter
    /// - KEYS[3]: bytes of spans that wait for their export
    /// - KEYS[4]: bytes that are kept for later (``KeptBytes``)
    ///
    /// KEYS of each job, eight; those that it does not have are empty:
    /// - `set`: the rollout's set
    /// - `verdict`: the rollout's verdict
    /// - `record`: the rollout's record
    /// - `list`: the project's rollouts
    /// - `count`: how many ids the set should have
    /// - `job`: the record of a job that can be fetched
    /// - `request`: makes a repeated request this job
    /// - `own`: takes the job's own key, under which the job is sealed
    ///
    /// KEYS of each limit that a job of the batch is counted on: its `slots` and `amounts`, as `rates` has them.
    ///
    /// ARGV of the batch:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the consumer that takes jobs at once (empty: none)
    /// - ARGV[3]: most entries
    /// - ARGV[4]: most bytes
    /// - ARGV[5]: most bytes of spans that wait for their export
    /// - ARGV[6]: most rollouts that a project's list keeps
    /// - ARGV[7]: life of a set in seconds
    /// - ARGV[8]: milliseconds for which a repeated request is known
    /// - ARGV[9]: number of jobs
    /// - ARGV[10]: number of limits
    /// - ARGV[11]: most bytes that are kept for later
    ///
    /// ARGV of each job, eighteen; points in time are milliseconds since 1970:
    /// - `id`: its insertion id
    /// - `payload`: the sealed job
    /// - `latest`: point in time by this server's clock until which this step is wanted (empty: not known)
    /// - `project`: its project
    /// - `account`: its account (may be empty)
    /// - `at`: its time
    /// - `deadline`: its deadline
    /// - `life`: life of its record in milliseconds
    /// - `fingerprint`: the request's fingerprint
    /// - `rollout`: the rollout's name
    /// - `invocation`: the rollout's invocation
    /// - `experiment`: the rollout's experiment
    /// - `run`: the rollout's run
    /// - `renews`: whether the lives of everything that is kept of the rollout are renewed (empty: they are not)
    /// - `takes`: whether the consumer takes an entry for this job (empty: none)
    /// - `own_key`: the job's own key, sealed (empty: it has none)
    /// - `reserved`: point in time at which what is reserved for its answer is free again
    /// - the number of its charges
    ///
    /// ARGV of each limit, four:
    /// - `limit`: the limit
    /// - `window`: its window in milliseconds
    /// - `enforced`: whether a job beyond it is refused (empty: counted all the same)
    /// - `settled`: whether the job's end corrects a charge (empty: it does not)
    ///
    /// ARGV of each charge of each job, two: the place of its limit, and the amount.
    ///
    /// Output: {this server's time in milliseconds since 1970, results, entries that the consumer was given, limits}.
    ///
    /// A result is one of these:
    /// - a string: the insertion id of the job that this request repeats
    /// - an error
    /// - a positive number: entries on the stream afterwards
    /// - -1: there are too many entries
    /// - -2: they hold too many bytes
    /// - -3: something other than a set has the rollout's name
    /// - -4: another request has the same idempotency key
    /// - -5: the step is no longer wanted
    /// - -6: too many spans wait for their export
    /// - -8: the answer could not be kept for later
    /// - a list, of a job that is over a limit: -7, the place of the first charge that it was refused for, what that
    ///   counter holds, and milliseconds until the job could be let in
    ///
    /// An entry is {its id, its job's place in the batch} or, if it is older, {its id, 0, its fields}. Of each limit
    /// there are three numbers (`usage_of`).
    static let enqueue = RedisScript(
        name: "enqueue",
        source: attempts + clock + KeptBytes.functions + numbers + rates + """
            local jobs = tonumber(ARGV[9])
            local stream, counter, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
            local most_entries, most_bytes, most_spans = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
            local most_rollouts, set_life, request_life = ARGV[6], ARGV[7], ARGV[8]
            local most_kept = tonumber(ARGV[11])
            kept_key = KEYS[4]
            local entries = redis.call('XLEN', stream)
            local bytes = entries == 0 and 0 or math.max(tonumber(redis.call('GET', counter) or 0) or 0, 0)
            local spans = tonumber(redis.call('GET', KEYS[3]) or 0) or 0
            local places, touched, wanted = {}, {}, 0
            -- How many charges the jobs before each have.
            local charges_before = {0}
            for place = 1, jobs do
                charges_before[place + 1] = charges_before[place] + ARGV[18 * place + 11]
            end
            -- Charges name a limit by its place, as a text.
            local limits, limits_by_name = {}, {}
            for index = 1, tonumber(ARGV[10]) do
                local key, argument = 2 + 8 * jobs + 2 * index, 7 + 18 * jobs + 4 * index
                limits[index] = {
                    slots = KEYS[key + 1], amounts = KEYS[key + 2], limit = tonumber(ARGV[argument + 1]),
                    window = tonumber(ARGV[argument + 2]), enforced = ARGV[argument + 3] ~= '',
                    settled = ARGV[argument + 4] ~= ''}
                limits_by_name[tostring(index)] = limits[index]
            end
            local before_charges, none = 11 + 18 * jobs + 4 * ARGV[10], {}

            -- Adds an id to its rollout's set. Returns nothing if that went well.
            local function add(id, renews, set, verdict, record, list, count, rollout, invocation, experiment, run)
                -- The first write: a server without memory, and something other than a set, say so here.
                local added = redis.pcall('SADD', set, id)
                if type(added) == 'table' then
                    return string.find(added.err, 'WRONGTYPE', 1, true) and -3 or added
                end
                if not touched[set] then
                    redis.call('EXPIRE', set, set_life)
                    redis.call('DEL', verdict)
                    touched[set] = true
                end
                if added == 1 then
                    local counted = tonumber(redis.pcall('INCR', count)) or 0
                    local recorded = tonumber(redis.pcall('HINCRBY', record, 'ids', 1)) or 0
                    renews = renews or counted <= 1 or recorded <= 1
                    -- Either of the two may have been lost; who counted more knows better.
                    if counted < recorded then redis.call('SET', count, recorded, 'KEEPTTL')
                    elseif recorded < counted then redis.pcall('HSET', record, 'ids', counted) end
                end
                if not renews then return end
                redis.call('ZADD', list, now, rollout)
                redis.call('EXPIRE', list, set_life)
                if redis.pcall('HSETNX', record, 'at', now) == 1 then
                    redis.call('HSET', record, 'invocation_id', invocation, 'experiment_id', experiment, 'run_id', run)
                    redis.call('ZREMRANGEBYRANK', list, 0, -1 - most_rollouts)
                end
                redis.call('EXPIRE', record, set_life)
                redis.call('EXPIRE', count, 2 * set_life)
            end

            -- The limits that a job is counted on, and what it counts on each.
            local function charges_of(place)
                local before = charges_before[place]
                local count = charges_before[place + 1] - before
                if count == 0 then return none, none end
                local charged, counts = {}, {}
                for index = 1, count do
                    local argument = before_charges + 2 * (before + index) - 1
                    charged[index], counts[index] = limits_by_name[ARGV[argument]], tonumber(ARGV[argument + 1])
                end
                return charged, counts
            end

            local function enqueue(place)
                local set, verdict, record, list, count, job, request, own =
                    unpack(KEYS, 8 * place - 3, 8 * place + 4)
                local id, payload, latest, project, account, at, deadline, life, fingerprint, rollout, invocation,
                    experiment, run, renews, takes, own_key, reserved = unpack(ARGV, 18 * place - 6, 18 * place + 10)
                -- Sent before the server stood still, and executed after: its sender has told the client that it was
                -- not.
                if latest ~= '' and now > tonumber(latest) then return -5 end
                local known = request ~= '' and redis.call('HMGET', request, 'id', 'request') or {}
                if known[1] then return known[2] == fingerprint and known[1] or -4 end
                if entries >= most_entries then return -1 end
                if entries > 0 and bytes + #payload > most_bytes then return -2 end
                if set ~= '' and spans >= most_spans then return -6 end
                -- Set aside before it is known how much the answer has.
                if job ~= '' and kept_bytes() + kept_reserved > most_kept then return -8 end
                local charged, counts = charges_of(place)
                local over = over_limit(charged, counts)
                if over then return over end
                if set ~= '' then
                    local refusal = add(
                        id, renews ~= '', set, verdict, record, list, count, rollout, invocation, experiment, run)
                    if refusal then return refusal end
                end
                local entry, slots = {'i', id, 'p', payload}, ''
                -- Whose the id is, should no worker be able to open the job.
                if set ~= '' then entry = {'i', id, 'p', payload, 'j', project, 'r', rollout} end
                -- Where the job's end finds what it corrects.
                for _, limit in ipairs(charged) do
                    if limit.settled then slots = slots .. limit.counter.slot_text .. ' ' end
                end
                if slots ~= '' then entry[#entry + 1], entry[#entry + 2] = 's', slots end
                -- Before the job, which could not be opened without it.
                if own ~= '' then
                    redis.call('SET', own, own_key, 'EX', set_life)
                    entry[#entry + 1], entry[#entry + 2] = 'w', '1'
                end
                places[redis.call('XADD', stream, '*', unpack(entry))] = place
                entries, bytes = entries + 1, bytes + #payload
                if job ~= '' then
                    local rank = 0
                    local info = redis.call('XINFO', 'STREAM', stream)
                    for index = 1, #info, 2 do
                        if info[index] == 'entries-added' then rank = info[index + 1] end
                    end
                    redis.call(
                        'HSET', job, 'project', project, 'account', account, 'rank', rank, 'at', at, 'until', deadline)
                    redis.call('PEXPIRE', job, life)
                    keep(kept_record, now + life)
                    keep(kept_reserved, tonumber(reserved))
                end
                if request ~= '' then
                    redis.call('HSET', request, 'id', id, 'request', fingerprint)
                    redis.call('PEXPIRE', request, request_life)
                    keep(kept_record, now + request_life)
                end
                if takes ~= '' then wanted = wanted + 1 end
                count_all(charged, counts)
                return entries
            end

            local results = attempt(enqueue, jobs)
            write_counters()
            write_kept()
            if results.err then return results end
            if next(places) then redis.pcall('SET', counter, bytes) end
            -- The oldest come first, whichever they are. Without a group there is nothing to take, and the jobs wait
            -- for one.
            local read = wanted > 0
                and redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', wanted, 'STREAMS', stream, '>')
            local given = {}
            for index, entry in ipairs(read and not read.err and read[1][2] or {}) do
                local place = places[entry[1]]
                given[index] = place and {entry[1], place} or {entry[1], 0, entry[2]}
            end
            return {now, results, given, usage_of(limits)}
            """)
}

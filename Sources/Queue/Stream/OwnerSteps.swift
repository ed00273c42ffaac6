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
    /// The time at which the bytes that are reserved for the answer are free again.
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
    /// Nil for an entry that is not a job; its keys are those of no job, and are not touched.
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

extension JobScripts {
    /// Sends frames in the middle of answers, each if this worker still owns its job. From then on the call is not
    /// repeated. Of an answer that would pass the bound on what is kept for later, nothing is kept any longer.
    ///
    /// KEYS of the batch:
    /// - KEYS[1]: the job stream
    /// - KEYS[2]: bytes that are kept for later (``KeptBytes``)
    ///
    /// KEYS of each job, three:
    /// - `shared`: the response stream
    /// - `own`: the job's own response stream
    /// - `marker`: the started marker
    ///
    /// ARGV of the batch:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the worker
    /// - ARGV[3]: most bytes that are kept for later
    ///
    /// ARGV of each job, seven:
    /// - `entry`: its entry
    /// - `id`: its insertion id
    /// - `frame`: the sealed frame (empty: it goes another way)
    /// - `life`: life of the job's own stream in seconds
    /// - `marker_life`: life of the marker in milliseconds
    /// - `kept`: bytes of the answer that are kept by now (empty: the bound is not asked for)
    /// - `reserved`: time at which what is reserved for the answer is free again, in milliseconds since 1970
    ///
    /// Output, for each job one of these:
    /// - bytes that are kept of the frame
    /// - -1: the job is another's
    /// - -2: there is no room
    /// - an error
    static let deliver = RedisScript(
        name: "deliver",
        source: attempts + clock + KeptBytes.functions + ownership + """
            local most_kept = tonumber(ARGV[3])
            kept_key = KEYS[2]

            local results = attempt(function(place)
                local shared, own, marker = unpack(KEYS, 3 * place, 3 * place + 2)
                local entry, id, frame, life, marker_life, kept, reserved = unpack(ARGV, 7 * place - 3, 7 * place + 3)
                if not owns(entry) then return -1 end
                local left = kept ~= '' and math.max(kept_reserved - kept, 0) or 0
                local beyond = kept ~= '' and entry_bytes(#frame) - left or 0
                if beyond > 0 and kept_bytes() + beyond > most_kept then
                    keep(-kept, redis.call('PEXPIRETIME', own))
                    redis.call('XTRIM', own, 'MAXLEN', 0)
                    return -2
                end
                local bytes = frame == '' and 0 or send(shared, own, id, frame, life)
                if left > 0 then keep(-math.min(bytes, left), tonumber(reserved)) end
                redis.call('SET', marker, ARGV[2], 'PX', marker_life)
                return bytes
            end, (#KEYS - 2) / 3)
            write_kept()
            return results
            """)

    /// Ends jobs, each if this worker still owns it (architecture §2.2): the last frame, the set, the trace, the
    /// dead letter, then the acknowledgement. An error is the result of its job alone and keeps that job from its end;
    /// the others end.
    ///
    /// KEYS of the batch:
    /// - KEYS[1]: the job stream
    /// - KEYS[2]: its byte counter
    /// - KEYS[3]: the dead letters
    /// - KEYS[4]: bytes of the spans that wait for their export
    /// - KEYS[5]: bytes of what waits for the request log (empty: there is none)
    /// - KEYS[6]: bytes that are kept for later (``KeptBytes``)
    ///
    /// KEYS of each job, eleven; those that it does not have are empty:
    /// - `shared`: the response stream
    /// - `own`: the job's own response stream
    /// - `marker`: the started marker
    /// - `set`: the rollout's set from which the id is removed
    /// - `verdict`: the rollout's verdict
    /// - `record`: the rollout's record
    /// - `count`: how many ids the set should have
    /// - `span_key`: the job's span
    /// - `outbox`: ids of spans that wait for their export; for a record that is not a span, the stream of records
    /// - `request`: makes a repeated request this job, which it shall no longer do
    /// - `own_key`: holds the job's own key, under which the job is sealed
    ///
    /// KEYS of each correction of each job's charges: the `amounts` of its counter.
    ///
    /// ARGV of the batch:
    /// - ARGV[1]: the group
    /// - ARGV[2]: the worker
    /// - ARGV[3]: most dead letters
    /// - ARGV[4]: bytes of a payload that a dead letter may keep
    /// - ARGV[5]: number of jobs
    ///
    /// ARGV of each job, eleven:
    /// - `entry`: its entry
    /// - `id`: its insertion id
    /// - `frame`: the sealed frame (empty: none)
    /// - `life`: life of the job's own stream in seconds
    /// - `reason`: the reason for the dead letters (empty: it is not one)
    /// - `size`: bytes of the entry's payload
    /// - `span`: the sealed span
    /// - `span_life`: seconds for which the span may wait for its export
    /// - `reserved`: bytes that are still reserved for its answer
    /// - `reserved_until`: time at which these are free again, in milliseconds since 1970
    /// - the number of its corrections
    ///
    /// ARGV of each correction of each job, two: the time at which the charge stands, and the difference.
    ///
    /// Output: for each job 1, 0 if the job is another's, or an error.
    static let finish = RedisScript(
        name: "finish",
        source: attempts + clock + KeptBytes.functions + ownership + numbers + settling + """
            local stream, counter, letters, waiting, log = unpack(KEYS, 1, 5)
            kept_key = KEYS[6]
            local most_letters, most_bytes, jobs = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
            -- How many corrections the jobs before each have.
            local corrections_before = {0}
            for place = 1, jobs do
                corrections_before[place + 1] = corrections_before[place] + ARGV[11 * place + 5]
            end
            local ended, markers, payloads, spans, records = {}, {}, 0, 0, 0

            local function remove(id, set, verdict, record, count)
                -- Another program may have put something else there; that must not keep the job from its end.
                if redis.pcall('SREM', set, id) ~= 1 then return end
                redis.call('DEL', verdict)
                if redis.call('EXISTS', record) == 1 then redis.pcall('HINCRBY', record, 'failed', 1) end
                if (tonumber(redis.pcall('GET', count)) or 0) > 0 then redis.call('DECR', count) end
                local recorded = tonumber(redis.pcall('HGET', record, 'ids')) or 0
                if recorded > 0 then redis.call('HINCRBY', record, 'ids', -1) end
            end

            local function bury(entry, id, size, reason)
                local letter = {'reason', reason, 'entry', entry, 'i', id, 'bytes', size}
                local found = redis.call('XRANGE', stream, entry, entry)[1]
                for index = 1, found and #found[2] or 0, 2 do
                    if found[2][index] == 'w' then
                        letter[9], letter[10] = 'withheld', 'the request is not kept; it cannot be queued again'
                        break
                    end
                    if found[2][index] == 'p' and #found[2][index + 1] <= most_bytes then
                        letter[9], letter[10] = 'p', found[2][index + 1]
                    end
                end
                redis.call('XADD', letters, 'MAXLEN', most_letters, '*', unpack(letter))
            end

            local results = attempt(function(place)
                local shared, own, marker, set, verdict, record, count, span_key, outbox, request, own_key =
                    unpack(KEYS, 11 * place - 4, 11 * place + 6)
                local entry, id, frame, life, reason, size, span, span_life, reserved, reserved_until =
                    unpack(ARGV, 11 * place - 5, 11 * place + 4)
                -- What ended in this batch is acknowledged below, so Redis does not know it yet.
                if ended[entry] or not owns(entry) then return 0 end
                if frame ~= '' then send(shared, own, id, frame, life) end
                if set ~= '' then remove(id, set, verdict, record, count) end
                if span_key ~= '' then
                    redis.call('SET', span_key, span, 'EX', span_life)
                    redis.call('XADD', outbox, '*', 'i', id, 'n', #span, set ~= '' and 'failed' or 'succeeded', '')
                    spans = spans + #span
                    records = records + #span
                elseif outbox ~= '' then
                    -- Where no process has kept the log there is no stream. The job ends even where Redis has no room.
                    local added = redis.pcall('XADD', outbox, 'NOMKSTREAM', '*', 'i', id, 'p', span)
                    if type(added) == 'string' then records = records + #span end
                end
                if request ~= '' and redis.pcall('HGET', request, 'id') == id then
                    keep(-kept_record, redis.call('PEXPIRETIME', request))
                    redis.call('DEL', request)
                end
                if tonumber(reserved) > 0 then keep(-reserved, tonumber(reserved_until)) end
                if reason ~= '' then bury(entry, id, size, reason) end
                for index = corrections_before[place], corrections_before[place + 1] - 1 do
                    local argument = 5 + 11 * jobs + 2 * index
                    correct(KEYS[6 + 11 * jobs + index + 1], ARGV[argument + 1], ARGV[argument + 2])
                end
                if marker ~= '' then markers[#markers + 1] = marker end
                -- What older files hold of the job opens with nothing from here on.
                if own_key ~= '' then markers[#markers + 1] = own_key end
                ended[entry], ended[#ended + 1], payloads = true, entry, payloads + size
                return 1
            end, jobs)
            settle()
            write_kept()
            if #ended == 0 then return results end
            redis.call('XACK', stream, ARGV[1], unpack(ended))
            redis.call('XDEL', stream, unpack(ended))
            if #markers > 0 then redis.call('DEL', unpack(markers)) end
            -- What these hold must not keep the jobs from their end.
            if spans > 0 then redis.pcall('INCRBY', waiting, spans) end
            if records > 0 and log ~= '' then redis.pcall('INCRBY', log, records) end
            if redis.call('XLEN', stream) == 0 then redis.call('DEL', counter)
            else redis.pcall('DECRBY', counter, payloads) end
            return results
            """)

    /// Functions for scripts that act only for the owner of a job. A worker that was believed dead, and lives, is
    /// stopped here: it owns nothing any longer.
    private static let ownership = """
        local function owns(entry)
            -- Where the stream or its group is gone, as after a flush, this is an error without elements: no worker
            -- owns anything.
            return #redis.pcall('XPENDING', KEYS[1], ARGV[1], entry, entry, 1, ARGV[2]) > 0
        end
        -- Returns the bytes that are kept of the frame: none, unless it stays under the job's own key. All of an
        -- answer expires at once.
        local function send(shared, own, id, frame, life)
            if shared ~= own and redis.call('XADD', shared, 'NOMKSTREAM', '*', 'i', id, 'p', frame) then return 0 end
            redis.call('XADD', own, '*', 'i', id, 'p', frame)
            local bytes = entry_bytes(#frame, redis.call('EXPIRE', own, life, 'NX') == 1)
            keep(bytes, redis.call('PEXPIRETIME', own))
            return bytes
        end

        """
}

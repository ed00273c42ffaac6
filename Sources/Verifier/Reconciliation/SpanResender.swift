package import Common
internal import Queue
internal import Redis

/// The spans that wait for their export, or are kept after it so that they can be sent again.
struct SpanResender: Sendable {
    /// Puts spans back among those that wait for their export, unless another verifier has done so.
    ///
    /// KEYS[1] -> ids of spans that wait for their export, KEYS[2] -> bytes of these spans, KEYS[3] -> bytes of what
    /// waits for the request log, KEYS[4…] -> spans
    /// ARGV[1] -> a span that has more milliseconds left to live is not sent again, ARGV[2] -> milliseconds that it
    /// lives while it waits, ARGV[3] -> the request log's group, which reads it again if it is there, ARGV[4…] -> their
    /// ids
    /// Output: how many are sent again
    static let resend = RedisScript(
        name: "resend",
        source: """
            local sent, bytes = 0, 0
            for index = 4, #KEYS do
                local left = redis.call('PTTL', KEYS[index])
                if left >= 0 and left <= tonumber(ARGV[1]) then
                    local size = redis.call('STRLEN', KEYS[index])
                    redis.call('PEXPIRE', KEYS[index], ARGV[2])
                    redis.call('XADD', KEYS[1], '*', 'i', ARGV[index], 'n', size, 'succeeded', '')
                    bytes = bytes + size
                    sent = sent + 1
                end
            end
            if sent == 0 then return 0 end
            redis.call('INCRBY', KEYS[2], bytes)
            for _, group in ipairs(redis.pcall('XINFO', 'GROUPS', KEYS[1])) do
                if group[2] == ARGV[3] then redis.call('INCRBY', KEYS[3], bytes) end
            end
            return sent
            """)

    let redis: RedisClient
    /// The time for which an accepted span may be invisible before it is sent again.
    let grace: Duration
    /// The lifetime of a span that waits for its export (``SpanOutbox/life(forWaiting:)``).
    let spanLife: Duration

    /// One state for each id.
    func states(of ids: [InsertionID]) async throws(RedisError) -> [SpanState] {
        let replies = try await redis.send(
            batch: [RedisCommand("LINDEX", Keys.keptTraces, 0)] + ids.map { RedisCommand("PTTL", Keys.span($0)) })
        let oldestKept: Timestamp? = try replies[0].get().string.flatMap { $0.split(separator: " ").first }.flatMap {
            UInt64($0)
        }
        .map { .epoch + .seconds(Int64(clamping: $0)) }
        var states: [SpanState] = []
        for (id, reply) in zip(ids, replies.dropFirst()) {
            states.append(SpanState(of: id, life: try reply.get().int ?? -2, oldestKept: oldestKept))
        }
        return states
    }

    /// The same where a proxy writes the traces: of those that it writes the gateway knows only that the calls have
    /// ended.
    func states(
        of ids: [InsertionID], writtenByProxyFor rollout: Rollout
    ) async throws(RedisError) -> [SpanState] {
        var states = try await states(of: ids)
        guard !ids.isEmpty else { return states }
        var command = RedisCommand("SMISMEMBER", Keys.ended(of: rollout))
        command.append(contentsOf: ids.map(\.description))
        let ended = try await redis.send(command)
        for index in ids.indices where ended[index].int == 1 {
            if states[index] == .absent || states[index] == .perhapsForgotten { states[index] = .ended }
        }
        return states
    }

    /// - Returns: how many are sent again.
    @discardableResult
    func resend(_ ids: [InsertionID], project: String) async throws(RedisError) -> Int {
        let keys = [Keys.traces(project: project), Keys.traceBytes, Keys.requestBytes] + ids.map { Keys.span($0) }
        let most = (SpanState.lifeAfterExport - grace) / .milliseconds(1)
        let reply = try await redis.evaluate(Self.resend, keys: keys) { command in
            command.append(Int(most))
            command.append(Int(spanLife / .milliseconds(1)))
            command.append(Keys.recorderGroup)
            command.append(contentsOf: ids.map(\.description))
        }
        return reply.int ?? 0
    }
}

/// The state of a completion's span that has not been seen in the trace store.
package enum SpanState: Sendable, Equatable {
    /// There is none: the completion has not ended.
    case absent
    /// There is none: the completion has not ended yet, or it has and its span made room for later ones
    /// (`OUTBOX_BYTES`).
    case perhapsForgotten
    /// There is none, and the completion has ended: a proxy writes its trace.
    case ended
    /// It waits for its export.
    case waiting
    /// The trace store accepted it so long ago.
    case sent(ago: Duration)

    /// The life of an accepted span, so that it can be sent again. The exporter sets it; the rest of it tells its age.
    package static let lifeAfterExport = SpanOutbox.keptFor

    /// Clocks differ: those that name completions, and that of Redis.
    private static let clockMargin = Duration.seconds(10)

    /// - Parameters:
    ///   - id: the completion.
    ///   - life: milliseconds that the span's key has left, as PTTL tells it.
    ///   - oldestKept: when the oldest span was accepted that is still kept. Nil: none is.
    package init(of id: InsertionID, life: Int, oldestKept: Timestamp?) {
        let kept = Int(Self.lifeAfterExport / .milliseconds(1))
        switch life {
        case 0...kept: self = .sent(ago: .milliseconds(kept - life))
        case -2:
            // What was accepted before the oldest that is kept has made room for it.
            self = oldestKept.map { id.time < $0 + Self.clockMargin } ?? false ? .perhapsForgotten : .absent
        default: self = .waiting
        }
    }
}

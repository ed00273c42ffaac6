internal import Common
internal import Queue
internal import Redis
internal import Telemetry

/// The work that waits in Redis, as the gateway itself counts it.
struct SharedState: Sendable {
    private let forwarders: Int
    private let verifiers: Int
    private let kept: Int
    /// The counts, in the order of ``counters``.
    private let counts: [Int]

    init(from redis: RedisClient) async throws(RedisError) {
        let replies = try await redis.send(batch: Self.counters.map(\.command))
        var counts: [Int] = []
        for reply in replies { counts.append(try reply.get().int ?? 0) }
        self.counts = counts
        forwarders = try await Self.alive(.completions, redis)
        verifiers = try await Self.alive(.verifications, redis)
        kept = try await KeptBytes.count(in: redis)
    }

    /// Each figure, with its value or its bound.
    func figures(_ limits: PrometheusPage.Limits) -> [(metric: MetricDescription, value: Int)] {
        var figures: [(metric: MetricDescription, value: Int)] = [
            (Self.liveForwarders, forwarders), (Self.liveVerifiers, verifiers),
        ]
        for (counter, count) in zip(Self.counters, counts) { figures.append((counter.metric, count)) }
        figures += [
            (Self.jobLimit, limits.jobs), (Self.jobBytesLimit, limits.jobBytes),
            (Self.outboxLimit, limits.traceBytes), (Self.recordLimit, limits.recordBytes), (Self.keptBytes, kept),
            (Self.keptLimit, limits.keptBytes),
        ]
        return figures
    }

    func write(to page: inout Exposition, _ limits: PrometheusPage.Limits) {
        for (metric, value) in figures(limits) { page.write(metric, value) }
    }

    private static func alive(_ queue: WorkQueue, _ redis: RedisClient) async throws(RedisError) -> Int {
        try await redis.evaluate(
            JobScripts.liveWorkers, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix
        ).int ?? 0
    }

    static let descriptions =
        [liveForwarders, liveVerifiers] + counters.map(\.metric) + [
            jobLimit, jobBytesLimit, outboxLimit, recordLimit, keptBytes, keptLimit,
        ]

    private static let liveForwarders = MetricDescription(
        "gateway_forwarders", .gauge, help: "Forwarders that are alive.")
    private static let liveVerifiers = MetricDescription("gateway_verifiers", .gauge, help: "Verifiers that are alive.")
    private static let jobLimit = MetricDescription(
        "gateway_jobs_limit", .gauge,
        help: "The most completions in the queue (QUEUE_LIMIT); beyond it requests are refused."
    )
    private static let jobBytesLimit = MetricDescription(
        "gateway_jobs_limit_bytes", .gauge,
        help: "The most bytes of their requests (QUEUE_BYTES); beyond it requests are refused.")
    private static let recordLimit = MetricDescription(
        "gateway_request_log_limit_bytes", .gauge,
        help: "The most bytes of records that wait (REQUEST_LOG_BYTES); beyond it the oldest are given up.")
    private static let keptBytes = MetricDescription(
        "gateway_kept_bytes", .gauge,
        help: "Bytes of answers that can be fetched and of rollouts' logs, with what is set aside for running calls "
            + "(KEPT_BYTES)."
    )
    private static let keptLimit = MetricDescription(
        "gateway_kept_limit_bytes", .gauge,
        help: "The most bytes of them (KEPT_BYTES); beyond it background calls, calls with an Idempotency-Key and log "
            + "entries are refused."
    )
    private static let outboxLimit = MetricDescription(
        "gateway_trace_outbox_limit_bytes", .gauge,
        help:
            "The most bytes of traces that wait (OUTBOX_BYTES): from there on completions of rollouts are refused, and from nine tenths on traces of failed ones are given up."
    )

    private static var counters: [(metric: MetricDescription, command: RedisCommand)] {
        func gauge(_ name: String, help: String, from command: RedisCommand) -> (MetricDescription, RedisCommand) {
            (MetricDescription(name, .gauge, help: help), command)
        }
        return [
            gauge(
                "gateway_jobs", help: "Completions in the queue, running ones included (QUEUE_LIMIT).",
                from: RedisCommand("XLEN", Keys.jobs)),
            gauge(
                "gateway_jobs_bytes", help: "Bytes of their requests (QUEUE_BYTES).",
                from: RedisCommand("GET", Keys.jobBytes)),
            gauge("gateway_dead_letters", help: "Jobs that were given up.", from: RedisCommand("XLEN", Keys.dead)),
            gauge(
                "gateway_verifications", help: "Questions about rollouts, waiting and running.",
                from: RedisCommand("XLEN", Keys.verifications)),
            gauge(
                "gateway_trace_outbox_bytes", help: "Bytes of traces that wait for their export.",
                from: RedisCommand("GET", Keys.traceBytes)),
            gauge(
                "gateway_trace_kept_bytes",
                help:
                    "Bytes of traces that were accepted within the last hour, OUTBOX_BYTES at most; those already seen in the trace store are counted too.",
                from: RedisCommand("GET", Keys.keptTraceBytes)),
            gauge(
                "gateway_queries", help: "Questions about the request log, waiting and running.",
                from: RedisCommand("XLEN", Keys.queries)),
            gauge(
                "gateway_request_log_waiting_bytes", help: "Bytes of records that wait for the request log.",
                from: RedisCommand("GET", Keys.requestBytes)),
            (
                MetricDescription(
                    "gateway_request_log_lost_total", .counter,
                    help: "Rows that the request log has lost, since more waited than REQUEST_LOG_BYTES."),
                RedisCommand("GET", Keys.requestsLost)
            ),
            gauge(
                "gateway_trace_store_refuses", help: "1 if a trace store does not take traces; /ready says why.",
                from: RedisCommand("EXISTS", Keys.traceTrouble)),
            gauge(
                "gateway_verifiers_busy",
                help: "1 if questions about rollouts are held up or cut short at a verifier; /ready says why.",
                from: RedisCommand("EXISTS", Keys.verifierTrouble)),
        ]
    }
}

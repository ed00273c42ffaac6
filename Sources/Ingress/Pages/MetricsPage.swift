internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Queue
internal import Redis

/// `GET /metrics`: what waits in the gateway, in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
///
/// What is in Redis is the state of all processes together, so every ingress says the same of it. Numbers only: no project, rollout or account is named.
struct MetricsPage: Sendable {
    private struct Gauge {
        let name: String
        let help: String
        let value: Int
    }

    let redis: RedisClient
    /// `OUTBOX_BYTES`.
    let outboxLimit: Int

    /// - Parameters:
    ///   - waiting: requests that wait for an answer at this ingress.
    ///   - connections: clients' connections to it.
    ///   - uploads: bytes of the large bodies that it reads now.
    func response(waiting: Int, connections: Int, uploads: Int) async -> Response {
        var gauges = [
            Gauge(name: "gateway_ingress_waiting_requests", help: "Requests that wait for an answer at this ingress.", value: waiting),
            Gauge(name: "gateway_ingress_connections", help: "Connections of clients to this ingress.", value: connections),
            Gauge(
                name: "gateway_ingress_upload_bytes", help: "Bytes of the large bodies that this ingress is reading (UPLOAD_BYTES).",
                value: uploads),
        ]
        let shared = try? await sharedState()
        gauges.append(
            Gauge(name: "gateway_redis_up", help: "1 if Redis answers. Without it the numbers below are left out.", value: shared == nil ? 0 : 1))
        gauges += shared ?? []
        var text = ""
        for gauge in gauges { text += "# HELP \(gauge.name) \(gauge.help)\n# TYPE \(gauge.name) gauge\n\(gauge.name) \(gauge.value)\n" }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    private func sharedState() async throws(RedisError) -> [Gauge] {
        let replies = try await redis.send(batch: [
            RedisCommand("XLEN", Keys.jobs), RedisCommand("GET", Keys.jobBytes), RedisCommand("XLEN", Keys.dead),
            RedisCommand("XLEN", Keys.verifications),
            RedisCommand("GET", Keys.traceBytes), RedisCommand("GET", Keys.keptTraceBytes), RedisCommand("EXISTS", Keys.traceTrouble),
        ])
        var values: [Int] = []
        for reply in replies { values.append(try reply.get().int ?? 0) }
        let (forwarders, verifiers) = (try await alive(.completions), try await alive(.verifications))
        return [
            Gauge(name: "gateway_forwarders", help: "Forwarders that are alive.", value: forwarders),
            Gauge(name: "gateway_verifiers", help: "Verifiers that are alive.", value: verifiers),
            Gauge(name: "gateway_jobs", help: "Completions in the queue, running ones included (QUEUE_LIMIT).", value: values[0]),
            Gauge(name: "gateway_jobs_bytes", help: "Bytes of their requests (QUEUE_BYTES).", value: values[1]),
            Gauge(name: "gateway_dead_letters", help: "Jobs that were given up.", value: values[2]),
            Gauge(name: "gateway_verifications", help: "Questions about rollouts, waiting and running.", value: values[3]),
            Gauge(name: "gateway_trace_outbox_bytes", help: "Bytes of traces that wait for their export.", value: values[4]),
            Gauge(
                name: "gateway_trace_outbox_limit_bytes",
                help:
                    "The most of them (OUTBOX_BYTES): from there on completions of rollouts are refused, and from nine tenths on traces of failed ones are given up.",
                value: outboxLimit),
            Gauge(
                name: "gateway_trace_kept_bytes",
                help:
                    "Bytes of traces that were accepted within the last hour, OUTBOX_BYTES at most; those already seen in the trace store are counted too.",
                value: values[5]),
            Gauge(name: "gateway_trace_store_refuses", help: "1 if a trace store does not take traces; /ready says why.", value: values[6]),
        ]
    }

    private func alive(_ queue: WorkQueue) async throws(RedisError) -> Int {
        try await redis.evaluate(JobScripts.liveForwarders, keys: [queue.stream], arguments: queue.group, queue.livenessPrefix).int ?? 0
    }
}

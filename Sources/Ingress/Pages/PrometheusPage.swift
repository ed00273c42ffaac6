internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Queue
internal import Redis
internal import Telemetry

/// `GET /metrics`: what this process counts and measures, and what waits in the gateway, in Prometheus' text format.
///
/// The contents of Redis are the state of all processes together, so every ingress says the same of them. No project,
/// rollout or account is named.
struct PrometheusPage: Sendable {
    /// The bounds of what waits.
    struct Limits: Sendable {
        /// `QUEUE_LIMIT`.
        var jobs: Int
        /// `QUEUE_BYTES`.
        var jobBytes: Int
        /// `OUTBOX_BYTES`.
        var traceBytes: Int
        /// `REQUEST_LOG_BYTES`.
        var recordBytes: Int
        /// `KEPT_BYTES`.
        var keptBytes: Int

        init(_ settings: Settings) {
            jobs = settings.queue.limit
            jobBytes = settings.queue.bytes
            traceBytes = settings.traces.outboxBytes
            recordBytes = settings.requestLog.bytes
            keptBytes = settings.queue.keptBytes
        }
    }

    let redis: RedisClient
    let limits: Limits
    let registry: MetricsRegistry
    let pending: PendingRequests
    let tailer: ResponseTailer
    let connections: Connections
    let uploads: UploadBudget
    let process: ProcessMetrics
    let sampler: KeySampler

    var response: Response {
        get async {
            let body = ByteBuffer(bytes: await exposition().bytes)
            return Response(
                status: .ok, headers: [.contentType: Exposition.contentType], body: ResponseBody(byteBuffer: body))
        }
    }

    func exposition() async -> Exposition {
        let shared = try? await SharedState(from: redis)
        let memory = await RedisMemory(of: redis)
        let estimate = await sampler.estimate(with: redis)
        var page = registry.exposition()
        process.write(to: &page)
        page.write(Self.waiting, pending.count + tailer.count)
        page.write(Self.connections, connections.count)
        page.write(Self.uploads, uploads.bytes)
        page.write(Self.redisUp, shared == nil ? 0 : 1)
        shared?.write(to: &page, limits)
        memory?.write(to: &page)
        estimate?.write(to: &page)
        return page
    }
}

extension PrometheusPage {
    /// The descriptions that are known without a registry, in the order of the page.
    static let descriptions =
        ProcessMetrics.descriptions + [waiting, connections, uploads, redisUp] + SharedState.descriptions
        + RedisMemory.descriptions + [KeySampler.Estimate.bytes]

    private static let waiting = MetricDescription(
        "gateway_ingress_waiting_requests", .gauge, help: "Requests that wait for an answer at this ingress.")
    private static let connections = MetricDescription(
        "gateway_ingress_connections", .gauge, help: "Connections of clients to this ingress.")
    private static let uploads = MetricDescription(
        "gateway_ingress_upload_bytes", .gauge,
        help: "Bytes of the large bodies that this ingress is reading (UPLOAD_BYTES)."
    )
    private static let redisUp = MetricDescription(
        "gateway_redis_up", .gauge, help: "1 if Redis answers. Without it the numbers of what is in it are left out.")
}

internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Queue
internal import Redis
internal import Telemetry

/// `/health`, `/ready` and `/metrics`.
struct StatusPages: Sendable {
    let redis: RedisClient
    let watch: RedisWatch
    let pending: PendingRequests
    let tailer: ResponseTailer
    let connections: Connections
    let uploads: UploadBudget
    /// Whether Redis is the operator's, and not the gateway's own, which the gateway alone can reach.
    let warnsOfRedis: Bool
    let limits: PrometheusPage.Limits
    /// The counters and measurements of this process.
    let registry: MetricsRegistry
    /// The trouble of the trace store that this process runs; nil: none.
    let storeTrouble: @Sendable () -> String?
    /// The warning about the process's own limits; nil: there is none.
    let warning: String?
    /// Nil: other machines cannot reach the gateway, or need keys.
    let access: OpenAccess?
    let started = ContinuousClock.now
    private let process = ProcessMetrics()
    private let sampler = KeySampler()

    init(
        redis: RedisClient, watch: RedisWatch, pending: PendingRequests, tailer: ResponseTailer,
        connections: Connections,
        uploads: UploadBudget, warnsOfRedis: Bool, limits: PrometheusPage.Limits, registry: MetricsRegistry,
        storeTrouble: @escaping @Sendable () -> String?, warning: String? = nil, access: OpenAccess? = nil
    ) {
        self.redis = redis
        self.watch = watch
        self.pending = pending
        self.tailer = tailer
        self.connections = connections
        self.uploads = uploads
        self.warnsOfRedis = warnsOfRedis
        self.limits = limits
        self.registry = registry
        self.storeTrouble = storeTrouble
        self.warning = warning
        self.access = access
    }

    /// It requires authentication: load figures are not public.
    var metrics: PrometheusPage {
        PrometheusPage(
            redis: redis, limits: limits, registry: registry, pending: pending, tailer: tailer,
            connections: connections,
            uploads: uploads, process: process, sampler: sampler)
    }

    /// The process is alive. Asks nothing of anyone else, so that a Redis that is away gets no ingress restarted.
    var health: Response {
        let uptime = started.duration(to: .now).components.seconds
        return json(
            .ok,
            Self.health(uptime: Int(uptime), waiting: pending.count + tailer.count, connections: connections.count))
    }

    /// The body of `/health`.
    static func health(uptime: Int, waiting: Int, connections: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", "healthy")
            writer.member("service", "metadata-proxy")
            writer.member("version", GatewayVersion.current)
            writer.member("uptime_seconds", uptime)
            writer.member("waiting", waiting)
            writer.member("connections", connections)
        }
        return writer.bytes
    }

    /// Calls would be answered: Redis can be reached and a forwarder lives.
    var readiness: Response {
        get async {
            do {
                let forwarders = try await redis.evaluate(
                    JobScripts.liveWorkers, keys: [Keys.jobs], arguments: Keys.jobGroup, Keys.forwarderPrefix)
                let count = forwarders.int ?? 0
                if let trouble = watch.trouble { return unready(trouble.text) }
                guard count > 0 else {
                    return json(
                        .serviceUnavailable,
                        Self.unready(
                            "no live forwarder: start `metadata-gateway forwarder`", redis: true, forwarders: 0)
                    )
                }
                return json(.ok, Self.ready(forwarders: count, warnings: await warnings))
            } catch {
                return unready(
                    error.refusal.map { RedisTrouble.refuses(code: $0).text } ?? "Redis cannot be reached")
            }
        }
    }

    /// The answer without Redis: the forwarders are not known then.
    private func unready(_ reason: String) -> Response {
        json(.serviceUnavailable, Self.unready(reason, redis: false, forwarders: nil))
    }

    /// The body of `/ready` where calls would be answered.
    static func ready(forwarders: Int, warnings: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", "ready")
            writer.member("redis", true)
            writer.member("forwarders", forwarders)
            if !warnings.isEmpty { writer.member("warnings") { $0.array(warnings) { $0.string($1) } } }
        }
        return writer.bytes
    }

    /// The body of `/ready` where calls would not be answered.
    static func unready(_ reason: String, redis: Bool, forwarders: Int?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", "not ready")
            writer.member("reason", reason)
            writer.member("redis", redis)
            writer.member("forwarders", forwarders.map { Double($0) })
        }
        return writer.bytes
    }

    /// Warnings for the operator of a ready gateway.
    private var warnings: [String] {
        get async {
            var warnings: [String] = []
            if let warning { warnings.append(warning) }
            if let trouble = storeTrouble() { warnings.append(trouble) }
            if let access, let lenders = try? await redis.keyLenders(),
                let warning = access.warning(lendsKeys: lenders > 0)
            {
                warnings.append(warning)
            }
            if let warning = watch.clockWarning { warnings.append(warning) }
            if warnsOfRedis, let version = await redis.version() { warnings += version.warnings }
            if warnsOfRedis, let warning = await redis.evictionPolicy()?.warning { warnings.append(warning) }
            if let processes = try? await RulesFleet(redis: redis).processes(),
                let disagreement = RulesDisagreement(processes)
            {
                warnings.append(disagreement.warning)
            }
            let waiting = (try? await redis.send(RedisCommand("GET", Keys.traceBytes)).int) ?? 0
            if let trouble = try? await redis.send(RedisCommand("GET", Keys.traceTrouble)).string {
                warnings.append("the trace store does not take traces, \(waiting) bytes of them wait: \(trouble)")
            }
            if let trouble = try? await redis.send(RedisCommand("GET", Keys.verifierTrouble)).string {
                warnings.append("questions about rollouts are held up: \(trouble)")
            }
            if waiting >= limits.traceBytes {
                warnings.append(
                    "completions of rollouts are refused: \(waiting) bytes of traces wait for their export (OUTBOX_BYTES is \(limits.traceBytes))"
                )
            }
            if let kept = try? await KeptBytes.count(in: redis), kept + KeptBytes.reserved > limits.keptBytes {
                warnings.append(
                    "background calls, Idempotency-Keys and log entries are refused: \(kept) bytes of answers and "
                        + "logs are kept (KEPT_BYTES is \(limits.keptBytes))"
                )
            }
            return warnings
        }
    }

    private func json(_ status: HTTPResponse.Status, _ body: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

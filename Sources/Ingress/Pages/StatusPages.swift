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
    let limits: MetricsPage.Limits
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
        uploads: UploadBudget, warnsOfRedis: Bool, limits: MetricsPage.Limits, registry: MetricsRegistry,
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
    var metrics: MetricsPage {
        MetricsPage(
            redis: redis, limits: limits, registry: registry, pending: pending, tailer: tailer,
            connections: connections,
            uploads: uploads, process: process, sampler: sampler)
    }

    /// The process is alive. Asks nothing of anyone else, so that a Redis that is away gets no ingress restarted.
    var health: Response {
        let uptime = started.duration(to: .now).components.seconds
        return json(
            .ok,
            #"{"status":"healthy","service":"metadata-proxy","version":"\#(GatewayVersion.current)","uptime_seconds":\#(uptime),"#
                + #""waiting":\#(pending.count + tailer.count),"connections":\#(connections.count)}"#)
    }

    /// Calls would be answered: Redis can be reached and a forwarder lives.
    var readiness: Response {
        get async {
            do {
                let forwarders = try await redis.evaluate(
                    JobScripts.liveWorkers, keys: [Keys.jobs], arguments: Keys.jobGroup, Keys.forwarderPrefix)
                let count = forwarders.int ?? 0
                if let trouble = watch.trouble { return unready(trouble.text, redis: false) }
                guard count > 0 else {
                    return json(
                        .serviceUnavailable,
                        #"{"status":"not ready","reason":"no live forwarder: start `metadata-gateway forwarder`","redis":true,"forwarders":0}"#
                    )
                }
                return json(.ok, #"{"status":"ready","redis":true,"forwarders":\#(count)\#(await warnings)}"#)
            } catch {
                if let code = error.refusal { return unready(RedisTrouble.refuses(code: code).text, redis: false) }
                return json(
                    .serviceUnavailable,
                    #"{"status":"not ready","reason":"Redis cannot be reached","redis":false,"forwarders":null}"#)
            }
        }
    }

    private func unready(_ reason: String, redis: Bool) -> Response {
        var text = Array(#"{"status":"not ready","reason":"#.utf8)
        JSONText.append(reason, to: &text)
        return json(
            .serviceUnavailable, String(decoding: text, as: UTF8.self) + #","redis":\#(redis),"forwarders":null}"#)
    }

    /// Warnings for the operator of a ready gateway, as a further member; empty if there are none.
    private var warnings: String {
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
            return Self.member(warnings: warnings)
        }
    }

    /// The texts as a member `warnings`, behind others.
    static func member(warnings: [String]) -> String {
        guard !warnings.isEmpty else { return "" }
        var out = Array(#","warnings":["#.utf8)
        for (index, warning) in warnings.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(warning, to: &out)
        }
        return String(decoding: out, as: UTF8.self) + "]"
    }

    private func json(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

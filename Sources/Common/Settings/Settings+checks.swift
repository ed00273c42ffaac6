extension Settings {
    /// Listeners of this process that would have the same port.
    /// - Parameter storesTraces: whether it runs the trace store.
    func checkPorts(storesTraces: Bool, _ log: inout ProblemLog) {
        var listeners: [(name: String, host: String, port: Int)] = []
        if role == .serve || role == .ingress { listeners.append(("PORT", http.host, http.port)) }
        if storesTraces { listeners.append(("TRACESTORE_PORT", traceStore.host, traceStore.port)) }
        if let port = metrics.port { listeners.append(("METRICS_PORT", metrics.host, port)) }
        for (index, later) in listeners.enumerated() where later.port != 0 {
            for earlier in listeners[..<index] where earlier.port == later.port {
                guard earlier.host == later.host || !Self.areApart(earlier.host, later.host) else { continue }
                log.error(
                    at: .environment(later.name), "\(later.port) is \(earlier.name) too; choose another for one of them"
                )
            }
        }
        let store = OwnAddress(host: traceStore.host, port: traceStore.port)
        if storesTraces, traceStore.port != 0, let litellmURL = backends.litellmURL, store.isMeant(by: litellmURL) {
            log.error(
                at: .environment("LITELLM_URL"),
                "leads to this gateway's own trace store (TRACESTORE_HOST, TRACESTORE_PORT); let one of them have "
                    + "another port")
        }
    }

    /// Whether both are addresses of which neither is all of the machine's.
    private static func areApart(_ host: String, _ other: String) -> Bool {
        let all: Set<UTF8Text> = ["0.0.0.0", "::", "[::]"]
        return !all.contains(host) && !all.contains(other)
    }

    /// Settings that are right by themselves and wrong together.
    func checkTogether(_ log: inout ProblemLog) {
        if redis.username != nil && redis.password == nil {
            log.error(at: .environment("REDIS_USERNAME"), "needs REDIS_PASSWORD as well")
        }
        if redis.tls, case .unixSocket = redis.address {
            log.error(at: .environment("REDIS_TLS"), "must be false when REDIS_HOST is a unix socket")
        }
        if redis.certificateAuthorityPath != nil, !redis.tls {
            log.error(at: .environment("REDIS_TLS_CA"), "needs REDIS_TLS=true as well")
        }
        if backends.langfuse == .embedded, role == .forwarder || role == .verifier {
            log.error(
                at: .environment("LANGFUSE_HOST"),
                "must be the URL of the trace store: `embedded` is for `serve`, which starts one")
        }
        if backends.litellmTraces && backends.litellmURL == nil {
            log.error(at: .environment("LITELLM_TRACES"), "needs LITELLM_URL, the proxy that does the tracing")
        }
        if backends.litellmTraces && http.requestLogging == .never {
            log.error(
                at: .environment("REQUEST_LOGGING_MODE"),
                "cannot be NEVER with LITELLM_TRACES: the proxy writes the traces, with all that it is sent")
        }
        if let own = OwnAddress(self) {
            if let litellmURL = backends.litellmURL, own.isMeant(by: litellmURL) {
                log.error(at: .environment("LITELLM_URL"), OwnAddress.complaint)
            }
            if case .url(let url) = backends.langfuse, own.isMeant(by: url) {
                log.error(at: .environment("LANGFUSE_HOST"), OwnAddress.complaint)
            }
        }
        if http.maxBodyBytes > queue.bytes {
            log.error(
                at: .environment("QUEUE_BYTES"),
                "must be at least MAX_BODY_BYTES (\(ByteCount.text(http.maxBodyBytes))), or the largest bodies could never be queued"
            )
        }
        if http.maxBodyBytes > http.uploadBytes {
            log.error(
                at: .environment("UPLOAD_BYTES"),
                "must be at least MAX_BODY_BYTES (\(ByteCount.text(http.maxBodyBytes))), or the largest bodies could never be read"
            )
        }
        if queue.rolloutTTL < calls.requestTimeout {
            let timeout = DecimalText.of(calls.requestTimeout / .seconds(1))
            log.error(
                at: .environment("ROLLOUT_TTL_SECONDS"),
                "must be at least REQUEST_TIMEOUT (\(timeout) s), or a rollout could be forgotten while a call is running"
            )
        }
    }
}

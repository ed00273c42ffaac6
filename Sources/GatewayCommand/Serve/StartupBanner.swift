internal import Common
internal import NIOConcurrencyHelpers
internal import Queue
internal import Redis
internal import ServiceLifecycle

/// Says that the gateway is ready, and how to try it, once a call would be answered: so the line that it prints works
/// as pasted.
final class StartupBanner: Service {
    private let bootstrap: Bootstrap
    private let redis: RedisClient
    /// Those that must have a worker.
    private let queues: [WorkQueue]
    private let listening: AsyncStream<Int>
    private let listens: AsyncStream<Int>.Continuation
    /// The port on which the trace store listens, once it does.
    private let traceStore = NIOLockedValueBox<Int?>(nil)

    init(bootstrap: Bootstrap, endpoint: RedisEndpoint) {
        self.bootstrap = bootstrap
        redis = RedisClient(endpoint, logger: bootstrap.logger)
        queues =
            [.completions, .verifications] + (bootstrap.configuration.settings.keepsRequestLog ? [.queries] : [])
        (listening, listens) = AsyncStream.makeStream()
    }

    @Sendable func announce(port: Int) async {
        listens.yield(port)
    }

    @Sendable func traceStoreListens(onPort port: Int) { traceStore.withLockedValue { $0 = port } }

    func run() async throws {
        try await redis.run(beside: { [self] in
            for await port in listening {
                for queue in queues { await someoneWorks(on: queue) }
                if queues.contains(.queries) { await recordsAreTaken() }
                if !Task.isCancelled { bootstrap.announce(welcome(port: port)) }
            }
        })
    }

    private func someoneWorks(on queue: WorkQueue) async {
        while !Task.isCancelled {
            if let count = try? await redis.liveWorkers(of: queue), count > 0 { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Until then a call without a trace leaves no row.
    private func recordsAreTaken() async {
        while !Task.isCancelled {
            if let count = try? await redis.send(RedisCommand("EXISTS", Keys.requests)).int, count > 0 { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func welcome(port: Int) -> String {
        let base = "http://\(bootstrap.configuration.settings.http.host.bracketed):\(port)"
        let asksForKeys = bootstrap.configuration.settings.secrets.apiKeysPath != nil
        let key = asksForKeys ? #" -H "Authorization: Bearer $KEY""# : ""
        let settings = bootstrap.configuration.settings
        let traces = traceStore.withLockedValue { $0 }.map { port in
            "\nTraces are kept here: Langfuse's API on http://\(settings.traceStore.host.bracketed):\(port), its keys in "
                + "\(settings.process.dataDirectory)/\(ClientEnvironment.fileName)\n"
        }
        return """
            metadata-gateway \(GatewayVersion.current) listens on \(base)
            \(traces ?? "")
            Try it\(asksForKeys ? ", with KEY set to a key of \(bootstrap.configuration.settings.secrets.apiKeysPath ?? "")" : ""):
              curl \(base)/rollout_id/demo/invocation_id/i1/experiment_id/e1/run_id/r1/row_id/1/chat/completions \\
                -H 'Content-Type: application/json'\(key) -d '{"model": "mock/echo", "messages": [{"role": "user", "content": "Hello!"}]}'

            Stop it with Ctrl-C.
            """
    }
}

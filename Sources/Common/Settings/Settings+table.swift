extension Settings {
    /// Every variable that the gateway reads from its environment, in the order of the documentation. Nothing else
    /// reads one, but for the keys of providers, which the table of providers and the secrets file name.
    package static let table: [Setting] =
        redisTable + secretsTable + backendTable + httpTable + queueTable + traceTable + upstreamTable + traceStoreTable
        + requestLogTable + metricsTable + processTable

    /// Roles that share a Redis and a key, which the operator has to give.
    private static let separate: [Role] = [.ingress, .forwarder, .verifier]
    /// Those that clients call.
    private static let facing: [Role] = [.serve, .ingress]
    /// Those that listen.
    private static let listening: [Role] = [.serve, .ingress, .tracestore]
    /// Those that may run the embedded trace store.
    private static let storing: [Role] = [.serve, .tracestore]
    /// Those that call providers.
    private static let calling: [Role] = [.serve, .forwarder]
    /// Those that work on jobs: calls, or questions about rollouts.
    private static let working: [Role] = [.serve, .forwarder, .verifier]
    /// Those that take jobs off a queue: calls, or questions.
    private static let taking: [Role] = [.serve, .forwarder, .verifier, .tracestore]
    /// Those that reach Redis: all, a trace store for the request log alone.
    private static let sharing: [Role] = Role.allCases
    /// Those that put jobs on a queue or take them off it: all but the trace store.
    private static let queueing: [Role] = [.serve, .ingress, .forwarder, .verifier]
    /// Those that pass completions on.
    private static let passing: [Role] = [.serve, .ingress, .forwarder]
    /// Those that answer questions about rollouts.
    private static let verifying: [Role] = [.serve, .verifier]

    private static let redisTable: [Setting] = [
        Setting(
            "REDIS_HOST", \.redis.address, .redisAddress,
            "The Redis server. `serve` starts one of its own if this is not set.", commands: sharing,
            requiredBy: separate),
        Setting("REDIS_PORT", \.redis.port, .int(1...65535, example: 6379), "The port of Redis.", commands: sharing),
        Setting(
            "REDIS_USERNAME", \.redis.username, .text("text without control characters", example: "gateway"),
            "The Redis user; needs `REDIS_PASSWORD`.", commands: sharing),
        Setting("REDIS_PASSWORD", \.redis.password, .password, "The Redis user's password.", commands: sharing),
        Setting(
            "REDIS_DB", \.redis.database, .int(0...65535, example: 1), "The number of the Redis database.",
            commands: sharing),
        Setting("REDIS_TLS", \.redis.tls, .bool, "Whether to speak TLS to Redis.", commands: sharing),
        Setting(
            "REDIS_TLS_CA", \.redis.certificateAuthorityPath, .certificates,
            "The authorities that sign Redis' certificate, instead of the system's; needs `REDIS_TLS`.",
            commands: sharing),
        Setting(
            "REDIS_COMMAND_TIMEOUT_MS", \.redis.commandTimeout, .milliseconds(100...10_000),
            "The time after which a command fails and Redis counts as unreachable.",
            commands: sharing),
        Setting(
            "CLOCK_SKEW_SECONDS", \.process.clockSkew, .seconds(0.1...3600),
            "The difference between this machine's clock and Redis's beyond which the log and `/ready` warn.",
            commands: sharing),
        Setting(
            "REDIS_SERVER_PATH", \.redis.serverPath,
            .text("the name or path of a program", example: "/usr/bin/redis-server"),
            "The program that `serve` starts as its own Redis.", commands: [.serve]),
    ]

    private static let secretsTable: [Setting] = [
        Setting("SECRETS_PATH", \.secrets.path, .file, "The secrets file. It need not exist unless this is set."),
        Setting(
            "GATEWAY_KEY", \.secrets.gatewayKey, .gatewayKey,
            "The key that seals the payloads in Redis; the same in all processes. `serve` makes one in `DATA_DIR` if neither this nor `GATEWAY_KEY_FILE` is set.",
            commands: sharing, requiredBy: separate),
        Setting(
            "GATEWAY_KEY_FILE", \.secrets.gatewayKeyFile, .file, "A file that holds the key, instead of `GATEWAY_KEY`.",
            commands: sharing),
        Setting(
            "API_KEYS_PATH", \.secrets.apiKeysPath, .file,
            "The file of the clients' keys. It turns authentication on; without it any client may call."),
        Setting(
            "CONFIG_PATH", \.configPath, .fileOrFolder,
            "The operator's [rules](policies.md#rules): a file of YAML documents, or a folder of such files.",
            commands: facing),
    ]

    private static let backendTable: [Setting] = [
        Setting(
            "LITELLM_URL", \.backends.litellmURL, .url,
            "A LiteLLM proxy that gets all calls, instead of the providers themselves.", commands: working),
        Setting(
            "LITELLM_API_KEY", \.backends.litellmAPIKey, .headerKey, "The key for the LiteLLM proxy.", commands: calling
        ),
        Setting(
            "LITELLM_TRACES", \.backends.litellmTraces, .bool,
            "Whether the LiteLLM proxy does the tracing, with the project's Langfuse keys.",
            commands: queueing),
        Setting(
            "LANGFUSE_HOST", \.backends.langfuse, .langfuseHost,
            "The server that gets the traces; `embedded` is the gateway's own store. With `langfuse_keys` in the secrets file, `serve` has the default of the "
                + "other commands.",
            commands: queueing),
        Setting(
            "DEFAULT_PROVIDER", \.backends.defaultProvider, .name,
            "The provider or account for calls whose model names none, and for [models that it "
                + "lists](api.md#the-default-provider).",
            commands: calling),
        Setting(
            "MODEL_LIST_AGE", \.backends.modelListAge, .seconds(1...3600),
            "How long the default provider's list of models is used before the gateway asks for it again.",
            commands: calling),
        Setting(
            "MODEL_LIST_TIMEOUT", \.backends.modelListTimeout, .seconds(0.1...60),
            "How long a call waits for that list. After that, its provider is chosen without the list.",
            commands: calling),
        Setting(
            "MODEL_LIST_BYTES", \.backends.modelListBytes, .bytes(64 << 10...64 << 20),
            "The largest size of that list; a larger one is treated as missing.", commands: calling),
    ]

    private static let httpTable: [Setting] = [
        Setting("HOST", \.http.host, .listenAddress, "The address to listen on.", commands: facing),
        Setting(
            "PORT", \.http.port, .int(0...65535, example: 4000), "The port to listen on; 0 takes any free one.",
            commands: facing),
        Setting(
            "DASHBOARD", \.http.dashboard, .bool,
            "Whether the [pages for people](dashboard.md) are served under `/dashboard`.", commands: facing),
        Setting(
            "DASHBOARD_ADMIN", \.http.dashboardAdmin, .bool,
            "Whether the dashboard may delete and requeue dead letters if clients need no key. If they need one, a key with `admin: true` may.",
            commands: facing),
        Setting(
            "DASHBOARD_STREAMS", \.http.dashboardStreams, .int(0...10_000),
            "The most open pages that one ingress keeps up to date at once; others do not change until they are reloaded.",
            commands: facing),
        Setting(
            "ALLOWED_HOSTS", \.http.allowedHosts, .allowedHosts,
            "The names in `Host` under which requests are answered, besides this machine's own (`localhost`, 127.0.0.0/8, ::1); others get 403. If not set, any "
                + "name is allowed, except where `HOST` is a loopback address and clients need no key, and where "
                + "`TRACESTORE_HOST` or `METRICS_HOST` is a loopback address.",
            commands: listening),
        Setting(
            "ALLOWED_ORIGINS", \.http.allowedOrigins, .allowedOrigins,
            "The [origins](api.md#browsers) whose pages may call from a browser. Where clients need no key, this machine's own are allowed too.",
            commands: facing),
        Setting(
            "CLIENT_IDLE_TIMEOUT", \.http.clientIdleTimeout, .seconds(1...3600),
            "How long a client's connection may be idle.", commands: facing),
        Setting(
            "CLIENT_READ_TIMEOUT", \.http.clientReadTimeout, .seconds(1...3600),
            "How long a client may take for the head of a request, and between two pieces of its body; beyond it 408. The whole request has `REQUEST_TIMEOUT`.",
            commands: facing),
        Setting(
            "MAX_CONNECTIONS", \.http.maxConnections, .int(16...1_000_000),
            "The most connections of clients; further ones wait in the system's queue until one closes. Beyond 15/16 of it, connections that are idle or still "
                + "sending their request give way, the oldest first. The value is lowered if the process may not [open so many files](operations.md#open-files).",
            commands: facing),
        Setting(
            "MAX_BODY_BYTES", \.http.maxBodyBytes, .bytes(1 << 10...256 << 20),
            "The largest request body; beyond it 413. The same in all processes.",
            commands: queueing),
        Setting(
            "UPLOAD_BYTES", \.http.uploadBytes, .bytes(1 << 20...1 << 40),
            "The most bytes of request bodies above 64 KiB that are being read at once; beyond it 429.",
            commands: facing),
        Setting(
            "MAX_HEADER_BYTES", \.http.maxHeaderBytes, .bytes(4 << 10...1 << 20),
            "The largest request head; beyond it 431.",
            commands: facing),
        Setting(
            "MAX_HEADERS", \.http.maxHeaders, .int(16...1024), "The most header fields of a request; beyond it 431.",
            commands: facing),
        Setting(
            "MAX_JSON_DEPTH", \.http.maxJSONDepth, .int(4...1000),
            "How deep arrays and objects in a body may nest; beyond it 400.", commands: passing),
        Setting(
            "MAX_RESPONSE_BYTES", \.http.maxResponseBytes, .bytes(1 << 10...1 << 30),
            "The largest answer of a provider, decompressed.", commands: calling),
        Setting(
            "MAX_BUFFERED_BYTES", \.http.maxBufferedBytes, .bytes(64 << 10...64 << 20),
            "The most bytes of an answer that wait for one slow client.",
            commands: facing),
        Setting(
            "METADATA_HEADERS", \.http.metadataHeaders, .metadataHeaders,
            "Further headers from which [metadata](policies.md#metadata) is read, besides `X-TFY-METADATA`.",
            commands: facing),
        Setting(
            "REQUEST_LOGGING_MODE", \.http.requestLogging, .requestLoggingMode,
            "Whether traces contain requests and answers: always, never, or unless the request's headers [say no](policies.md#logging).",
            commands: facing),
        Setting(
            "ON_DISCONNECT", \.http.onDisconnect, .choice,
            "Whether a call whose client has left is aborted, or finished and kept for an hour.",
            commands: facing),
    ]

    private static let queueTable: [Setting] = [
        Setting(
            "QUEUE_LIMIT", \.queue.limit, .int(1...10_000_000), "The most jobs in the queue; beyond it 429.",
            commands: facing),
        Setting(
            "QUEUE_BYTES", \.queue.bytes, .bytes(1 << 20...1 << 40),
            "The most bytes of jobs in the queue; beyond it 429.", commands: facing),
        Setting(
            "FORWARDER_CONCURRENCY", \.queue.forwarderConcurrency, .int(1...100_000),
            "The most calls in flight of one forwarder.", commands: calling),
        Setting(
            "MAX_DELIVERIES", \.queue.maxDeliveries, .int(1...10),
            "How often a job is tried if its forwarder or verifier dies, before it becomes a dead letter.",
            commands: taking),
        Setting(
            "DEAD_LETTER_LIMIT", \.queue.deadLetterLimit, .int(1...1_000_000),
            "The most dead letters that are kept; the oldest go first.", commands: taking),
        Setting(
            "KEPT_BYTES", \.queue.keptBytes, .bytes(1 << 20...1 << 40),
            "The most bytes of Redis's memory for [answers and logs that are kept for later](operations.md#what-is-kept), in all projects together; beyond it 507.",
            commands: passing),
        Setting(
            "LOG_ENTRY_BYTES", \.queue.logEntryBytes, .bytes(64 << 10...16 << 20),
            "The most bytes of one `POST /logs`, counted once for each rollout that its tags name; beyond it 400.",
            commands: facing),
        Setting(
            "ROLLOUT_TTL_SECONDS", \.queue.rolloutTTL, .wholeSeconds(60...31_536_000),
            "How long a rollout's set of insertion ids lives after the last id was added.", commands: queueing),
    ]

    private static let traceTable: [Setting] = [
        Setting(
            "OUTBOX_BYTES", \.traces.outboxBytes, .bytes(1 << 20...1 << 40),
            "The most bytes of traces that wait for their export; beyond it completions of rollouts get 503. The same bound applies to the traces that are kept "
                + "for an hour after their export.",
            commands: passing),
        Setting(
            "OUTBOX_MAX_AGE_SECONDS", \.traces.outboxMaxAge, .wholeSeconds(3600...31_536_000),
            "How long a trace may wait for its export before it is given up.", commands: working),
        Setting(
            "SPAN_TEXT_BYTES", \.traces.spanTextBytes, .bytes(64 << 10...8 << 20),
            "The most bytes of a trace's input and of its output, each; a longer one is cut and stays JSON. Both together also fit one export of 4.5 MB. A larger "
                + "value raises that size, for a trace store that takes more than Langfuse's cloud does.",
            commands: calling),
        Setting(
            "EXPORT_INTERVAL_MS", \.traces.exportInterval, .milliseconds(10...60_000),
            "The longest time for which traces are collected before they are sent together.", commands: calling),
        Setting(
            "EXPORT_TIMEOUT", \.traces.exportTimeout, .seconds(1...300),
            "How long the trace store may take to accept a batch.", commands: calling),
        Setting(
            "VERIFIER_CONCURRENCY", \.traces.verifierConcurrency, .int(1...10_000),
            "The most looks at rollouts that one verifier takes at once, and the most answers with traces. A question that waits between two looks counts towards "
                + "`VERIFIER_WAITERS` instead.",
            commands: verifying),
        Setting(
            "VERIFIER_WAITERS", \.traces.verifierWaiters, .int(1...100_000),
            "The most questions about rollouts that wait at one verifier, for their turn or between two looks. A project may add one while it has fewer than there "
                + "are free places. Beyond the bound a question gets what is known, or 503.",
            commands: verifying),
        Setting(
            "VERIFY_RESEND_GRACE", \.traces.resendGrace, .seconds(1...1800),
            "How long a trace that the trace store has accepted may be invisible there before it is sent again.",
            commands: verifying),
        Setting(
            "TRACES_MAX_SCORES", \.traces.maxScores, .int(100...1_000_000),
            "The most [scores](tracestore.md#scores) of the traces on one page in an answer of `/traces`. Beyond it fewer traces are read at a time. A single "
                + "trace with more is a 502 that says so.",
            commands: verifying),
    ]

    private static let upstreamTable: [Setting] = [
        Setting(
            "REQUEST_TIMEOUT", \.calls.requestTimeout, .seconds(1...86_400),
            "The time from a request's arrival to the last byte of its answer.", commands: queueing),
        Setting(
            "UPSTREAM_ATTEMPTS", \.calls.attempts, .int(1...10),
            "How often a call that cannot reach its provider is tried, the first time included. A call that may have been paid for is repeated only if a "
                + "[rule](policies.md#retries) or the client asks for it, or once if a [kept connection](#kept-connections) closed.",
            commands: calling),
        Setting(
            "MAX_ATTEMPTS", \.calls.maxAttempts, .int(1...100),
            "The most calls that are made for one request: attempts, [retries](policies.md#retries) and fallbacks together.",
            commands: calling),
        Setting(
            "MAX_CLIENT_RETRIES", \.calls.maxClientRetries, .int(0...20),
            "The most retries that a client may ask for with `x-tfy-retry-config`; 0 refuses the header.",
            commands: facing),
        Setting(
            "PREAMBLE_HOLD", \.calls.preambleHold, .seconds(0...300),
            "How long the beginning of an answer may be [held back](policies.md#what-is-held-back) while a rule can still send its call elsewhere.",
            commands: calling),
        Setting(
            "PREAMBLE_HOLD_BYTES", \.calls.preambleHoldBytes, .bytes(0...1 << 20),
            "The most bytes that may be held back in this way.",
            commands: calling),
        Setting(
            "REFUSED_MEMBER_TTL", \.calls.refusedMemberTTL, .seconds(0...86_400),
            "How long the gateway remembers that a provider [refuses a member](api.md#answers) that the gateway adds to requests; with 0 it does not remember "
                + "that.",
            commands: calling),
        Setting(
            "REFUSED_MEMBER_LIMIT", \.calls.refusedMemberLimit, .int(1...100_000),
            "The most models of accounts for which the gateway remembers such a refusal.", commands: calling),
        Setting(
            "UPSTREAM_CONNECT_TIMEOUT", \.calls.connectTimeout, .seconds(0.1...300),
            "The time for a connection to a provider, TLS included.",
            commands: calling),
        Setting(
            "UPSTREAM_IDLE_TIMEOUT", \.calls.idleTimeout, .seconds(1...86_400),
            "How long a provider may send nothing.", commands: calling),
        Setting(
            "UPSTREAM_IDLE_CONNECTION_SECONDS", \.calls.idleConnectionSeconds,
            .int(ProviderAccount.idleConnectionSeconds),
            "Seconds for which an idle connection to a provider may be used again; 0 opens one for each call. Keep it below the time after which the provider "
                + "closes idle connections (uvicorn and Node: 5 s). An account may have a value of its own.",
            commands: calling),
        Setting(
            "FLUSH_INTERVAL_MS", \.calls.flushInterval, .milliseconds(1...10_000),
            "How long a forwarder may hold bytes of an answer before it passes them on. It does not hold server-sent events.",
            commands: calling),
        Setting(
            "ALLOW_LOOPBACK_BASE_URLS", \.calls.allowLoopbackBaseURLs, .bool,
            "Whether a client's `encoded_base_url` may lead to this machine. In `serve` the default is true only if `HOST` is a loopback address.",
            commands: passing),
        Setting(
            "ALLOW_PRIVATE_BASE_URLS", \.calls.allowPrivateBaseURLs, .bool,
            "Whether a client's `encoded_base_url` may lead to a private network.",
            commands: passing),
    ]

    private static let traceStoreTable: [Setting] = [
        Setting(
            "TRACESTORE_HOST", \.traceStore.host, .listenAddress,
            "The address on which the embedded trace store listens.", commands: storing),
        Setting(
            "TRACESTORE_PORT", \.traceStore.port, .int(0...65535, example: 4001),
            "The embedded trace store's port; 0 takes any free one.",
            commands: storing),
        Setting(
            "TRACESTORE_MAX_CONNECTIONS", \.traceStore.maxConnections, .int(4...1_000_000),
            "The most connections of clients to the trace store; further ones wait in the system's queue. When all are open, idle ones give way.",
            commands: storing),
        Setting(
            "TRACESTORE_MAX_AGE", \.traceStore.maxAge, .wholeSeconds(60...315_360_000),
            "How long the trace store keeps a trace or a score.",
            commands: storing),
        Setting(
            "TRACESTORE_MAX_BYTES", \.traceStore.maxBytes, .bytes(16 << 20...1 << 44),
            "The most bytes that traces, scores and the [request log](requestlog.md) may take on disk; beyond it the oldest are deleted. The trace store checks "
                + "this every ten seconds.", commands: storing),
        Setting(
            "TRACESTORE_MAX_EXPORT_BYTES", \.traceStore.maxExportBytes, .bytes(64 << 10...1 << 30),
            "The largest export or batch of scores that the trace store takes, decompressed; beyond it 413.",
            commands: storing),
    ]

    private static let requestLogTable: [Setting] = [
        Setting(
            "REQUEST_LOG", \.requestLog.place, .choice,
            "Whether a row of each request is kept in the trace store's database, by `serve` or by `tracestore`, which then needs `REDIS_HOST` and `GATEWAY_KEY`. "
                + "With `off` there are no rows, and questions about requests get 404.",
            commands: [.serve, .ingress, .forwarder, .tracestore]),
        Setting(
            "REQUEST_LOG_BYTES", \.requestLog.bytes, .bytes(1 << 20...1 << 40),
            "The most bytes of requests' records that wait for the request log. Beyond it the oldest are given up and "
                + "counted; no completion is refused.",
            commands: [.serve, .forwarder, .tracestore]),
        Setting(
            "REQUEST_LOG_MAX_AGE", \.requestLog.maxAge, .wholeSeconds(60...315_360_000),
            "How long a row of the [request log](requestlog.md) is kept.", commands: storing),
        Setting(
            "AUDIT_LOG_MAX_AGE", \.requestLog.auditMaxAge, .wholeSeconds(60...315_360_000),
            "How long an [audit row](requestlog.md#audit) is kept.", commands: storing),
        Setting(
            "PRICES_PATH", \.requestLog.pricesPath, .file,
            "A file of [prices](requestlog.md#cost) that take precedence over those that the gateway carries.",
            commands: storing),
        Setting(
            "QUERY_CONCURRENCY", \.requestLog.queryConcurrency, .int(1...1000),
            "The most questions about the request log that are worked on at once.", commands: storing),
        Setting(
            "QUERY_TIMEOUT", \.requestLog.queryTimeout, .seconds(1...86_400),
            "The time from a question about the request log to the last byte of its answer, also of an export.",
            commands: facing),
    ]

    private static let processTable: [Setting] = [
        Setting("LOG_LEVEL", \.process.logLevel, .logLevel, "The lowest level that is logged."),
        Setting(
            "LOG_FORMAT", \.process.logFormat, .choice,
            "The form of the log: a JSON object a line (`json`), or lines for people (`text`). `auto` is `text` on a terminal and `json` otherwise."
        ),
        Setting(
            "DATA_DIR", \.process.dataDirectory, .text("the path of a folder", example: "/var/lib/gateway"),
            "The folder in which `serve` keeps its Redis and its key, and the trace store its traces.",
            commands: storing),
        Setting(
            "DRAIN_SECONDS", \.process.drain, .seconds(0...3600),
            "How long a stopping process waits for the work in flight."),
    ]
}

internal import Upstream

// The groups of ``Settings``. The values that an initializer gives are the defaults.

/// The files and the key that hold secrets.
package struct SecretsSettings: Sendable, Equatable {
    package var path = Secrets.defaultPath
    /// Whether the secrets file must exist, because the variable names it.
    package var isFileRequired = false
    /// The key that seals what travels through Redis, from either variable. Nil only in `serve`, which then makes one.
    package var gatewayKey: GatewayKey?
    /// A file with the key in base64. `Settings.read` reads it into `gatewayKey`.
    package var gatewayKeyFile: String?
    /// The file of the clients' keys. Nil: clients need none.
    package var apiKeysPath: String?
}

/// The providers' proxy, the trace store and the models that calls may go to.
package struct BackendSettings: Sendable, Equatable {
    /// The LiteLLM proxy that gets all calls, if there is one.
    package var litellmURL: BaseURL?
    package var litellmAPIKey: SecretString?
    /// Whether LiteLLM does the tracing, with the project's Langfuse keys.
    package var litellmTraces = false
    /// `Configuration.load` makes it Langfuse's cloud in `serve` too when the secrets file has keys for it and no
    /// variable says where.
    package var langfuse: LangfuseHost
    /// The provider or account for calls that name no model.
    package var defaultProvider: String?
    /// The time for which the default provider's list of models is good.
    package var modelListAge = Duration.seconds(10)
    /// From the question for that list to the last byte of the answer.
    package var modelListTimeout = Duration.seconds(5)
    /// The largest such list.
    package var modelListBytes = 8 << 20

    init(role: Role) {
        langfuse = role == .serve || role == .tracestore ? .embedded : .cloud
    }
}

/// The listener, the bounds on requests, and the ways of their answers.
package struct HTTPSettings: Sendable, Equatable {
    package var host: String
    /// 0: any free port.
    package var port = 4000
    /// Whether people may look at `/dashboard`.
    package var dashboard = true
    /// Whether people may do what is the operator's there, where clients need no key.
    package var dashboardAdmin = false
    /// Pages that are brought up to date at once.
    package var dashboardStreams = 64
    /// Nil: this machine's names where the listener is there for this machine alone and asks for no key, else any.
    package var allowedHosts: AllowedHosts?
    package var allowedOrigins = AllowedOrigins.none
    package var clientIdleTimeout = Duration.seconds(75)
    package var clientReadTimeout = Duration.seconds(30)
    package var maxConnections = 20_000
    package var maxBodyBytes = 16 << 20
    /// Bytes of large bodies that are being read at once.
    package var uploadBytes = 256 << 20
    package var maxHeaderBytes = 32 << 10
    package var maxHeaders = 128
    package var maxJSONDepth = 128
    package var maxResponseBytes = 64 << 20
    /// Bytes of an answer that may wait at the ingress for one slow reader.
    package var maxBufferedBytes = 1 << 20
    /// Headers from which metadata is read, beside `X-TFY-METADATA`.
    package var metadataHeaders: [MetadataHeader] = []
    package var onDisconnect = DisconnectPolicy.cancel
    package var requestLogging = RequestLoggingMode.headerControlled

    init(role: Role) {
        host = role == .serve ? "127.0.0.1" : "0.0.0.0"
    }
}

/// The bounds of the queue and of what is kept in Redis.
package struct QueueSettings: Sendable, Equatable {
    package var limit = 100_000
    package var bytes = 1 << 30
    package var forwarderConcurrency = 5000
    package var maxDeliveries = 3
    package var deadLetterLimit = 10_000
    /// Bytes of answers and logs that are kept in Redis beyond the life of a call.
    package var keptBytes = 1 << 30
    /// Bytes of one log entry, once for each rollout that it is kept with.
    package var logEntryBytes = 1 << 20
    package var rolloutTTL = Duration.seconds(86_400)
}

/// The outbox of spans, their export and their verification.
package struct TraceSettings: Sendable, Equatable {
    /// Bytes of spans that may wait for their export.
    package var outboxBytes = 1 << 30
    package var spanTextBytes = 4 << 20
    /// The time for which a span may wait for its export.
    package var outboxMaxAge = Duration.seconds(86_400)
    /// The time for which spans are collected before they are sent.
    package var exportInterval = Duration.milliseconds(500)
    package var exportTimeout = Duration.seconds(10)
    /// The time for which an accepted span may be invisible before it is sent again.
    package var resendGrace = Duration.seconds(15)
    /// Questions that one verifier works on at once.
    package var verifierConcurrency = 64
    /// Questions that wait at one verifier at a time, for a permit, a look or an end.
    package var verifierWaiters = 4096
    /// The most scores that the traces of one page of `/traces` may have.
    package var maxScores = 10_000
}

/// Calls to providers: their times, their repetitions and their addresses.
package struct CallSettings: Sendable, Equatable {
    /// From the request's arrival to the last byte of its answer.
    package var requestTimeout = Duration.seconds(300)
    package var attempts = 3
    /// Calls that are made for one request in all.
    package var maxAttempts = 10
    /// Retries that a client may ask for; 0: none.
    package var maxClientRetries = 5
    /// The time for which the beginning of an answer is held back while a rule may still send its call elsewhere.
    package var preambleHold = Duration.seconds(10)
    /// Bytes of an answer that are held back so.
    package var preambleHoldBytes = 64 << 10
    /// The time for which a provider's refusal of a member that the gateway adds is remembered; zero: not at all.
    package var refusedMemberTTL = Duration.seconds(3600)
    /// The most accounts and models for which such a refusal is remembered.
    package var refusedMemberLimit = 1000
    package var connectTimeout = Duration.seconds(10)
    package var idleTimeout = Duration.seconds(300)
    /// Whole seconds for which an idle connection to a provider may be used again; accounts may have their own.
    package var idleConnectionSeconds = ConnectionUse().idleSeconds
    /// The time for which bytes of an answer may lie at a forwarder before they are sent.
    package var flushInterval = Duration.milliseconds(20)
    /// Whether a client's own base URL may lead to this machine.
    package var allowLoopbackBaseURLs: Bool
    /// Whether a client's own base URL may lead to a private network.
    package var allowPrivateBaseURLs = false

    init(role: Role) {
        allowLoopbackBaseURLs = role == .serve
    }
}

/// The embedded trace store.
package struct TraceStoreSettings: Sendable, Equatable {
    package var host = "127.0.0.1"
    /// 0: any free port. The neighbour of the gateway's own; 3000 is where a Langfuse of one's own listens, and 4318 an
    /// OpenTelemetry collector.
    package var port = 4001
    /// Connections of clients to it.
    package var maxConnections = 256
    package var maxAge = Duration.seconds(30 * 86_400)
    package var maxBytes = 10 << 30
    /// Of one export, decompressed. Langfuse's Python SDK sends no more than this.
    package var maxExportBytes = 64 << 20
}

/// The request log and the audit log.
package struct RequestLogSettings: Sendable, Equatable {
    package var place = RequestLogPlace.embedded
    /// Bytes of records that may wait for the request log.
    package var bytes = 256 << 20
    /// The operator's prices of models, which go before the gateway's own. Nil: there are none.
    package var pricesPath: String?
    /// The time for which a row of the request log is kept.
    package var maxAge = Duration.seconds(30 * 86_400)
    /// The time for which an audit row is kept.
    package var auditMaxAge = Duration.seconds(365 * 86_400)
    /// Questions about the request log that are worked on at once.
    package var queryConcurrency = 16
    /// From such a question to the last byte of its answer.
    package var queryTimeout = Duration.seconds(300)
}

/// The metrics of a process.
package struct MetricsSettings: Sendable, Equatable {
    package var host = "127.0.0.1"
    /// The port on which each process shows its metrics, besides the ingress's own page; 0: any free port. Nil: none.
    package var port: Int?
    /// Connections of scrapers to that port.
    package var maxConnections = 16
    /// Metadata by whose values calls are counted.
    package var metadataKeys: [String] = []
    /// Values of each of these keys that are told apart.
    package var metadataValues = 50
    /// Models that are told apart, besides those that the operator's rules name.
    package var models: [String] = []
    /// Models that are told apart in all.
    package var modelValues = 100
}

/// The log and the life of a process.
package struct ProcessSettings: Sendable, Equatable {
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.auto
    /// `serve` keeps its own Redis' files and keys here.
    package var dataDirectory = "./data"
    /// The difference between this machine's clock and that of Redis from which on it is warned of.
    package var clockSkew = Duration.seconds(2)
    /// The time for which a stopping process waits for the work in flight.
    package var drain = Duration.seconds(30)
}

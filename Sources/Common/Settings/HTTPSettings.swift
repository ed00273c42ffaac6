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

extension HTTPSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting("HOST", \.http.host, rule: .listenAddress, meaning: "The address to listen on.", commands: .facing),
        Setting(
            "PORT", \.http.port, rule: .int(0...65535, example: 4000),
            meaning: "The port to listen on; 0 takes any free one.",
            commands: .facing),
        Setting(
            "DASHBOARD", \.http.dashboard, rule: .bool,
            meaning: "Whether the [pages for people](dashboard.md) are served under `/dashboard`.", commands: .facing),
        Setting(
            "DASHBOARD_ADMIN", \.http.dashboardAdmin, rule: .bool,
            meaning:
                "Whether the dashboard may delete and requeue dead letters if clients need no key. If they need one, a key with `admin: true` may.",
            commands: .facing),
        Setting(
            "DASHBOARD_STREAMS", \.http.dashboardStreams, rule: .int(0...10_000),
            meaning:
                "The most open pages that one ingress keeps up to date at once; others do not change until they are reloaded.",
            commands: .facing),
        Setting(
            "ALLOWED_HOSTS", \.http.allowedHosts, rule: .allowedHosts,
            meaning:
                "The names in `Host` under which requests are answered, besides this machine's own (`localhost`, 127.0.0.0/8, ::1); others get 403. If not set, any "
                + "name is allowed, except where `HOST` is a loopback address and clients need no key, and where "
                + "`TRACESTORE_HOST` or `METRICS_HOST` is a loopback address.",
            commands: .listening),
        Setting(
            "ALLOWED_ORIGINS", \.http.allowedOrigins, rule: .allowedOrigins,
            meaning:
                "The [origins](api.md#browsers) whose pages may call from a browser. Where clients need no key, this machine's own are allowed too.",
            commands: .facing),
        Setting(
            "CLIENT_IDLE_TIMEOUT", \.http.clientIdleTimeout, rule: .seconds(1...3600),
            meaning: "How long a client's connection may be idle.", commands: .facing),
        Setting(
            "CLIENT_READ_TIMEOUT", \.http.clientReadTimeout, rule: .seconds(1...3600),
            meaning:
                "How long a client may take for the head of a request, and between two pieces of its body; beyond it 408. The whole request has `REQUEST_TIMEOUT`.",
            commands: .facing),
        Setting(
            "MAX_CONNECTIONS", \.http.maxConnections, rule: .int(16...1_000_000),
            meaning:
                "The most connections of clients; further ones wait in the system's queue until one closes. Beyond 15/16 of it, connections that are idle or still "
                + "sending their request give way, the oldest first. The value is lowered if the process may not [open so many files](operations.md#open-files).",
            commands: .facing),
        Setting(
            "MAX_BODY_BYTES", \.http.maxBodyBytes, rule: .bytes(1 << 10...256 << 20),
            meaning: "The largest request body; beyond it 413. The same in all processes.",
            commands: .queueing),
        Setting(
            "UPLOAD_BYTES", \.http.uploadBytes, rule: .bytes(1 << 20...1 << 40),
            meaning: "The most bytes of request bodies above 64 KiB that are being read at once; beyond it 429.",
            commands: .facing),
        Setting(
            "MAX_HEADER_BYTES", \.http.maxHeaderBytes, rule: .bytes(4 << 10...1 << 20),
            meaning: "The largest request head; beyond it 431.",
            commands: .facing),
        Setting(
            "MAX_HEADERS", \.http.maxHeaders, rule: .int(16...1024),
            meaning: "The most header fields of a request; beyond it 431.",
            commands: .facing),
        Setting(
            "MAX_JSON_DEPTH", \.http.maxJSONDepth, rule: .int(4...1000),
            meaning: "How deep arrays and objects in a body may nest; beyond it 400.", commands: .passing),
        Setting(
            "MAX_RESPONSE_BYTES", \.http.maxResponseBytes, rule: .bytes(1 << 10...1 << 30),
            meaning: "The largest answer of a provider, decompressed.", commands: .calling),
        Setting(
            "MAX_BUFFERED_BYTES", \.http.maxBufferedBytes, rule: .bytes(64 << 10...64 << 20),
            meaning: "The most bytes of an answer that wait for one slow client.",
            commands: .facing),
        Setting(
            "METADATA_HEADERS", \.http.metadataHeaders, rule: .metadataHeaders,
            meaning: "Further headers from which [metadata](policies.md#metadata) is read, besides `X-TFY-METADATA`.",
            commands: .facing),
        Setting(
            "REQUEST_LOGGING_MODE", \.http.requestLogging, rule: .requestLoggingMode,
            meaning:
                "Whether traces contain requests and answers: always, never, or unless the request's headers [say no](policies.md#logging).",
            commands: .facing),
        Setting(
            "ON_DISCONNECT", \.http.onDisconnect, rule: .choice,
            meaning: "Whether a call whose client has left is aborted, or finished and kept for an hour.",
            commands: .facing),
    ]
}

internal import Upstream

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

extension CallSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "REQUEST_TIMEOUT", \.calls.requestTimeout, rule: .seconds(1...86_400),
            meaning: "The time from a request's arrival to the last byte of its answer.", commands: .queueing),
        Setting(
            "UPSTREAM_ATTEMPTS", \.calls.attempts, rule: .int(1...10),
            meaning:
                "How often a call that cannot reach its provider is tried, the first time included. A call that may have been paid for is repeated only if a "
                + "[rule](policies.md#retries) or the client asks for it, or once if a [kept connection](#kept-connections) closed.",
            commands: .calling),
        Setting(
            "MAX_ATTEMPTS", \.calls.maxAttempts, rule: .int(1...100),
            meaning:
                "The most calls that are made for one request: attempts, [retries](policies.md#retries) and fallbacks together.",
            commands: .calling),
        Setting(
            "MAX_CLIENT_RETRIES", \.calls.maxClientRetries, rule: .int(0...20),
            meaning: "The most retries that a client may ask for with `x-tfy-retry-config`; 0 refuses the header.",
            commands: .facing),
        Setting(
            "PREAMBLE_HOLD", \.calls.preambleHold, rule: .seconds(0...300),
            meaning:
                "How long the beginning of an answer may be [held back](policies.md#what-is-held-back) while a rule can still send its call elsewhere.",
            commands: .calling),
        Setting(
            "PREAMBLE_HOLD_BYTES", \.calls.preambleHoldBytes, rule: .bytes(0...1 << 20),
            meaning: "The most bytes that may be held back in this way.",
            commands: .calling),
        Setting(
            "REFUSED_MEMBER_TTL", \.calls.refusedMemberTTL, rule: .seconds(0...86_400),
            meaning:
                "How long the gateway remembers that a provider [refuses a member](api.md#answers) that the gateway adds to requests; with 0 it does not remember "
                + "that.",
            commands: .calling),
        Setting(
            "REFUSED_MEMBER_LIMIT", \.calls.refusedMemberLimit, rule: .int(1...100_000),
            meaning: "The most models of accounts for which the gateway remembers such a refusal.", commands: .calling),
        Setting(
            "UPSTREAM_CONNECT_TIMEOUT", \.calls.connectTimeout, rule: .seconds(0.1...300),
            meaning: "The time for a connection to a provider, TLS included.",
            commands: .calling),
        Setting(
            "UPSTREAM_IDLE_TIMEOUT", \.calls.idleTimeout, rule: .seconds(1...86_400),
            meaning: "How long a provider may send nothing.", commands: .calling),
        Setting(
            "UPSTREAM_IDLE_CONNECTION_SECONDS", \.calls.idleConnectionSeconds,
            rule: .int(ProviderAccount.idleConnectionSeconds),
            meaning:
                "Seconds for which an idle connection to a provider may be used again; 0 opens one for each call. Keep it below the time after which the provider "
                + "closes idle connections (uvicorn and Node: 5 s). An account may have a value of its own.",
            commands: .calling),
        Setting(
            "FLUSH_INTERVAL_MS", \.calls.flushInterval, rule: .milliseconds(1...10_000),
            meaning:
                "How long a forwarder may hold bytes of an answer before it passes them on. It does not hold server-sent events.",
            commands: .calling),
        Setting(
            "ALLOW_LOOPBACK_BASE_URLS", \.calls.allowLoopbackBaseURLs, rule: .bool,
            meaning:
                "Whether a client's `encoded_base_url` may lead to this machine. In `serve` the default is true only if `HOST` is a loopback address.",
            commands: .passing),
        Setting(
            "ALLOW_PRIVATE_BASE_URLS", \.calls.allowPrivateBaseURLs, rule: .bool,
            meaning: "Whether a client's `encoded_base_url` may lead to a private network.",
            commands: .passing),
    ]
}

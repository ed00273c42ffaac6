/// The place of Redis and the way to enter.
package struct RedisSettings: Sendable, Equatable {
    /// A host, or a socket's path.
    package enum Address: Sendable, Equatable {
        case host(String)
        case unixSocket(path: String)
    }

    /// Nil only in `serve`, which then starts a Redis of its own.
    package var address: Address?
    /// Not used with a socket.
    package var port = 6379
    package var username: String?
    package var password: SecretString?
    package var database = 0
    package var tls = false
    /// A PEM file of the authorities that sign the server's certificate. Nil: the system's.
    package var certificateAuthorityPath: String?
    /// The time that a command may take before Redis counts as away.
    package var commandTimeout = Duration.milliseconds(800)

    /// The program that `serve` starts when no Redis is named.
    package var serverPath = "redis-server"

    package init() {}
}

extension RedisSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "REDIS_HOST", \.redis.address, rule: .redisAddress,
            meaning: "The Redis server. `serve` starts one of its own if this is not set.", commands: .sharing,
            requiredBy: .separate),
        Setting(
            "REDIS_PORT", \.redis.port, rule: .int(1...65535, example: 6379), meaning: "The port of Redis.",
            commands: .sharing),
        Setting(
            "REDIS_USERNAME", \.redis.username, rule: .text("text without control characters", example: "gateway"),
            meaning: "The Redis user; needs `REDIS_PASSWORD`.", commands: .sharing),
        Setting(
            "REDIS_PASSWORD", \.redis.password, rule: .password, meaning: "The Redis user's password.",
            commands: .sharing),
        Setting(
            "REDIS_DB", \.redis.database, rule: .int(0...65535, example: 1),
            meaning: "The number of the Redis database.",
            commands: .sharing),
        Setting("REDIS_TLS", \.redis.tls, rule: .bool, meaning: "Whether to speak TLS to Redis.", commands: .sharing),
        Setting(
            "REDIS_TLS_CA", \.redis.certificateAuthorityPath, rule: .certificates,
            meaning: "The authorities that sign Redis' certificate, instead of the system's; needs `REDIS_TLS`.",
            commands: .sharing),
        Setting(
            "REDIS_COMMAND_TIMEOUT_MS", \.redis.commandTimeout, rule: .milliseconds(100...10_000),
            meaning: "The time after which a command fails and Redis counts as unreachable.",
            commands: .sharing),
        Setting(
            "CLOCK_SKEW_SECONDS", \.process.clockSkew, rule: .seconds(0.1...3600),
            meaning: "The difference between this machine's clock and Redis's beyond which the log and `/ready` warn.",
            commands: .sharing),
        Setting(
            "REDIS_SERVER_PATH", \.redis.serverPath,
            rule: .text("the name or path of a program", example: "/usr/bin/redis-server"),
            meaning: "The program that `serve` starts as its own Redis.", commands: [.serve]),
    ]
}

extension RedisSettings.Address: CustomStringConvertible {
    /// Reads a host or `unix:/path`; nil for anything else, such as a URL or `host:port`.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            // 107 bytes and a NUL are what `sockaddr_un` holds.
            guard path.hasPrefix("/"), path.isPrintable, path.utf8.count <= 107 else { return nil }
            self = .unixSocket(path: path)
        } else {
            guard HostName.isValid(text) else { return nil }
            self = .host(text)
        }
    }

    package var description: String {
        switch self {
        case .host(let host): host
        case .unixSocket(let path): "unix:\(path)"
        }
    }
}

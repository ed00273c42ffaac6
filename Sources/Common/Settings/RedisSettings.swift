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

/// The place of a Redis server, the way to enter it, and the bounds of a connection to it.
package struct RedisEndpoint: Sendable, CustomStringConvertible {
    /// The way to reach the server.
    package enum Address: Sendable, Hashable {
        /// A name or IP address, and a port.
        case tcp(host: String, port: Int)
        /// A Unix socket.
        case unix(path: String)
    }

    /// The address on which the server listens.
    package var address: Address
    /// The ACL user; nil is Redis's `default` user.
    package var username: String?
    /// The password that AUTH sends; nil sends no AUTH.
    package var password: SecretString?
    /// The number that SELECT takes.
    package var database = 0
    /// Whether to speak TLS. The server's certificate must be valid for the host.
    package var tls = false
    /// A PEM file of the authorities that sign the server's certificate; nil trusts the system's.
    package var certificateAuthorityPath: String?

    /// The longest wait for a connection, and again for its log-in.
    package var connectTimeout: Duration = .seconds(2)
    /// The longest wait for an answer, unless a command brings its own.
    package var commandTimeout: Duration = .seconds(2)
    /// The silence after which a connection is tried with PING, so that a dead peer is noticed while nothing is asked
    /// of it.
    package var keepAliveInterval: Duration = .seconds(5)
    /// The bytes of commands that may wait to be written; more is refused at once.
    package var maximumUnsentBytes = 256 << 20
    /// The bytes of one reply. Redis's own bound for a string is 512 MiB.
    package var maximumReplyBytes = 512 << 20

    /// All connections to this endpoint and to copies of it.
    let peers = RedisPeers()

    /// An endpoint with the defaults above.
    package init(_ address: Address) { self.address = address }

    /// The address and database, without user or password.
    package var description: String {
        switch address {
        case .tcp(let host, let port):
            "\(tls ? "rediss" : "redis")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .unix(let path): "unix://\(path)?db=\(database)"
        }
    }
}

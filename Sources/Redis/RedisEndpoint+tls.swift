internal import NIOCore
internal import NIOSSL

extension RedisEndpoint {
    /// Reads what TLS to this endpoint needs, and keeps nothing of it.
    /// - Throws: ``RedisError`` with code `.configuration`, which names the file.
    package func checkTLS() throws(RedisError) { _ = try makeTLSContext() }

    /// The context of a TLS connection; nil if the endpoint speaks none. Reads the authorities' file: make it once.
    func makeTLSContext() throws(RedisError) -> NIOSSLContext? {
        guard tls else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let certificateAuthorityPath { configuration.trustRoots = .file(certificateAuthorityPath) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            let file = certificateAuthorityPath ?? "the system's certificates"
            throw RedisError(
                .configuration,
                "TLS to \(self) cannot be set up with \(file): \(error); the file must hold PEM certificates")
        }
    }

    /// The name to ask for and to verify. An IP address is no server name (RFC 6066 §3): NIOSSL then verifies the
    /// address itself.
    var serverName: String? {
        guard case .tcp(let host, _) = address, (try? SocketAddress(ipAddress: host, port: 0)) == nil else {
            return nil
        }
        return host
    }
}

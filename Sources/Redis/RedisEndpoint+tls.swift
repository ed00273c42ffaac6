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
        if let path = certificateAuthorityPath {
            // NIOSSL would take a folder as well, and see only those of its files that are named by a hash.
            guard let authorities = try? NIOSSLCertificate.fromPEMFile(path), !authorities.isEmpty else {
                throw RedisError(
                    .configuration, "`\(path)` holds no certificate that can be read; it must be a file in PEM format")
            }
            configuration.trustRoots = .certificates(authorities)
        }
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw RedisError(.configuration, "TLS to \(self) cannot be set up with the system's certificates")
        }
    }

    /// The name to ask for and to verify. An IP address is not a server name (RFC 6066 §3): NIOSSL then verifies the
    /// address itself.
    var serverName: String? {
        guard case .tcp(let host, _) = address, (try? SocketAddress(ipAddress: host, port: 0)) == nil else {
            return nil
        }
        return host
    }
}

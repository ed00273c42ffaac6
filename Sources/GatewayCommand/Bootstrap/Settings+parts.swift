internal import Common
internal import Logging
internal import Redis

extension RedisEndpoint {
    /// The endpoint that the settings describe; nil if they name none.
    init?(_ settings: RedisSettings) {
        switch settings.address {
        case .host(let host): self.init(.tcp(host: host, port: settings.port))
        case .unixSocket(let path): self.init(.unix(path: path))
        case nil: return nil
        }
        username = settings.username
        password = settings.password
        database = settings.database
        tls = settings.tls
        certificateAuthorityPath = settings.certificateAuthorityPath
        commandTimeout = settings.commandTimeout
        connectTimeout = settings.commandTimeout
    }
}

extension String {
    /// A host as it stands in a URL: an IPv6 address in brackets.
    var bracketed: String { contains(":") ? "[\(self)]" : self }
}

internal import Common
internal import Logging

/// The warning about a gateway that other machines can reach, that asks its clients for no key, and whose calls the
/// operator's keys pay for.
struct OpenAccess: Sendable {
    private let address: String

    /// - Parameters:
    ///   - host: the address on which the gateway listens.
    ///   - auth: who may enter.
    /// - Returns: nil if the gateway asks for keys, or is there for its own machine alone.
    init?(host: String, auth: any AuthProvider) {
        guard auth is NoAuth, !HostName.isLoopback(host) else { return nil }
        address = host
    }

    /// Says at the start what is known then.
    func warn(lendsKeys: Bool?, _ logger: Logger) {
        if let warning = warning(lendsKeys: lendsKeys) { logger.warning("\(warning)") }
    }

    /// The warning.
    /// - Parameter lendsKeys: whether forwarders make calls with the operator's keys; nil: it is not known.
    /// - Returns: nil if they do not.
    func warning(lendsKeys: Bool?) -> String? {
        guard lendsKeys ?? true else { return nil }
        let keys = lendsKeys == nil ? "any provider's keys that the forwarders hold" : "the providers' keys it holds"
        return
            "other machines can reach the gateway (HOST is \(address)), and it asks its clients for no key: each of "
            + "them calls models with \(keys); set API_KEYS_PATH, or HOST=127.0.0.1"
    }
}

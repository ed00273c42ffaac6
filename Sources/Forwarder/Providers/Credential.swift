internal import Common

/// The key that a call carries, and whose it is.
enum Credential: Sendable {
    case none
    case client(SecretString)
    case server(SecretString)

    var key: SecretString? {
        switch self {
        case .none: nil
        case .client(let key), .server(let key): key
        }
    }

    var isServers: Bool { if case .server = self { true } else { false } }
}

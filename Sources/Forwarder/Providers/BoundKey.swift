internal import Common

/// A key of the server's, tied to the origin that it was configured for.
struct BoundKey: Sendable, Equatable {
    private let secret: SecretString
    private let origin: BaseURL

    init(_ secret: SecretString, for base: BaseURL) {
        self.secret = secret
        origin = base
    }

    /// The key, if `base` is on its own origin: scheme, host and port, each as a whole. A host that merely contains or
    /// begins like the right one is another host.
    func secret(for base: BaseURL) -> SecretString? { base.hasOrigin(of: origin) ? secret : nil }

    static func == (left: Self, right: Self) -> Bool {
        left.secret == right.secret && left.origin.hasOrigin(of: right.origin)
    }
}

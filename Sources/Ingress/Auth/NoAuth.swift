package import Common

/// Lets everyone in. A client's bearer token is its key at the provider and goes there.
public struct NoAuth: ImmediateAuthProvider {
    public var consumesBearer: Bool { false }

    public init() {}

    package func account(for request: AuthRequest) throws(GatewayError) -> Account? { nil }
}

extension AuthProvider where Self == NoAuth {
    /// No authentication: the default.
    public static var none: NoAuth { NoAuth() }
}

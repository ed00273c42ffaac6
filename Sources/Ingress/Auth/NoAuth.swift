/// Lets everyone in. A client's bearer token is its key at the provider and goes there.
public struct NoAuth: AuthProvider {
    public var consumesBearer: Bool { false }

    public init() {}

    public func authenticate(_ request: AuthRequest) async throws -> Account? { nil }
}

extension AuthProvider where Self == NoAuth {
    /// No authentication: the default.
    public static var none: NoAuth { NoAuth() }
}

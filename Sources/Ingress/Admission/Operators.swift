internal import Common

/// Says who may do what is the operator's: requeue and delete dead letters, by the dashboard's forms or over HTTP.
struct Operators: Sendable {
    /// Whether it is open to everyone: where no key is asked for and the gateway serves its own machine alone, if
    /// `DASHBOARD_ADMIN` says so.
    private let isEveryone: Bool

    /// - Parameter auth: who may call the gateway.
    init(_ auth: any AuthProvider, _ settings: Settings) {
        isEveryone = auth is NoAuth && HostName.isLoopback(settings.http.host) && settings.http.dashboardAdmin
    }

    /// - Parameter account: nil: no key was asked for.
    func includes(_ account: Account?) -> Bool { account?.isAdmin ?? isEveryone }

    /// - Throws: 403 for all others.
    func check(_ account: Account?) throws(GatewayError) {
        guard includes(account) else { throw .operatorOnly }
    }
}

extension GatewayError {
    static let operatorOnly = GatewayError(
        status: 403, type: "permission_error", code: "operator_only",
        message: "Only the operator may do this: with a key that has `admin: true` in API_KEYS_PATH, or, where the "
            + "gateway asks for no keys and listens on a loopback address, if it is started with DASHBOARD_ADMIN=true.",
        shouldRetry: false)
}

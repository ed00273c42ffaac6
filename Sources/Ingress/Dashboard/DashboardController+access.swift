internal import Common

extension DashboardController.Access {
    /// - Parameter auth: who may call the gateway.
    init(_ auth: any AuthProvider, _ settings: Settings) {
        self =
            switch auth {
            case _ where !settings.http.dashboard: .closed(.dashboardOff)
            case let keys as APIKeyAuth: .keys(keys)
            case is NoAuth:
                HostName.isLoopback(settings.http.host) ? .machine : .closed(.dashboardNeedsKeys)
            default: .provider
            }
    }
}

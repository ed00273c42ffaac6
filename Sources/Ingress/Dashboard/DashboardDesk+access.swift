internal import Common

extension DashboardDesk.Access {
    /// - Parameters:
    ///   - auth: who may call the gateway.
    ///   - host: the address on which it listens.
    init(_ auth: any AuthProvider, listeningOn host: String, isOn: Bool) {
        self =
            switch auth {
            case _ where !isOn: .closed(.dashboardOff)
            case let keys as APIKeyAuth: .keys(keys)
            case is NoAuth: HostName.isLoopback(host) ? .machine : .closed(.dashboardNeedsKeys)
            default: .provider
            }
    }
}

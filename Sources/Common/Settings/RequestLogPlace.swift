/// The place in which the request log is kept.
package enum RequestLogPlace: String, Sendable, CaseIterable {
    /// In the trace store's database.
    case embedded
    /// Nowhere: requests leave no row, and questions about them are refused.
    case off
}

extension Settings {
    /// Whether this process keeps the request log and answers questions about it. A `tracestore` does so where a Redis
    /// is named, through which rows and questions come.
    package var keepsRequestLog: Bool {
        requestLog.place == .embedded && (role == .serve || role == .tracestore && redis.address != nil)
    }

    /// Checks the needs of a `tracestore` that keeps the request log; without it, it needs nothing.
    func checkRequestLog(given environment: [String: String], _ log: inout ProblemLog) {
        guard role == .tracestore, requestLog.place == .embedded else { return }
        if redis.address == nil, environment["REQUEST_LOG"] != nil {
            log.error(
                at: .environment("REQUEST_LOG"),
                "needs REDIS_HOST in `tracestore`, through which the rows come; or set it to off")
        }
        if redis.address != nil, secrets.gatewayKey == nil, secrets.gatewayKeyFile == nil {
            log.error(
                at: .environment("GATEWAY_KEY"),
                "must be set for `tracestore` beside REDIS_HOST, for the request log: the key of the other parts; "
                    + "or set REQUEST_LOG to off")
        }
    }
}

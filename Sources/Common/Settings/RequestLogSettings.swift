/// The request log and the audit log.
package struct RequestLogSettings: Sendable, Equatable {
    package var place = RequestLogPlace.embedded
    /// Bytes of records that may wait for the request log.
    package var bytes = 256 << 20
    /// The operator's prices of models, which go before the gateway's own. Nil: there are none.
    package var pricesPath: String?
    /// The time for which a row of the request log is kept.
    package var maxAge = Duration.seconds(30 * 86_400)
    /// The time for which an audit row is kept.
    package var auditMaxAge = Duration.seconds(365 * 86_400)
    /// Questions about the request log that are worked on at once.
    package var queryConcurrency = 16
    /// From such a question to the last byte of its answer.
    package var queryTimeout = Duration.seconds(300)
}

extension RequestLogSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "REQUEST_LOG", \.requestLog.place, rule: .choice,
            meaning:
                "Whether a row of each request is kept in the trace store's database, by `serve` or by `tracestore`, which then needs `REDIS_HOST` and `GATEWAY_KEY`. "
                + "With `off` there are no rows, and questions about requests get 404.",
            commands: [.serve, .ingress, .forwarder, .tracestore]),
        Setting(
            "REQUEST_LOG_BYTES", \.requestLog.bytes, rule: .bytes(1 << 20...1 << 40),
            meaning:
                "The most bytes of requests' records that wait for the request log. Beyond it the oldest are given up and "
                + "counted; no completion is refused.",
            commands: [.serve, .forwarder, .tracestore]),
        Setting(
            "REQUEST_LOG_MAX_AGE", \.requestLog.maxAge, rule: .wholeSeconds(60...315_360_000),
            meaning: "How long a row of the [request log](requestlog.md) is kept.", commands: .storing),
        Setting(
            "AUDIT_LOG_MAX_AGE", \.requestLog.auditMaxAge, rule: .wholeSeconds(60...315_360_000),
            meaning: "How long an [audit row](requestlog.md#audit) is kept.", commands: .storing),
        Setting(
            "PRICES_PATH", \.requestLog.pricesPath, rule: .file,
            meaning: "A file of [prices](requestlog.md#cost) that take precedence over those that the gateway carries.",
            commands: .storing),
        Setting(
            "QUERY_CONCURRENCY", \.requestLog.queryConcurrency, rule: .int(1...1000),
            meaning: "The most questions about the request log that are worked on at once.", commands: .storing),
        Setting(
            "QUERY_TIMEOUT", \.requestLog.queryTimeout, rule: .seconds(1...86_400),
            meaning:
                "The time from a question about the request log to the last byte of its answer, also of an export.",
            commands: .facing),
    ]
}

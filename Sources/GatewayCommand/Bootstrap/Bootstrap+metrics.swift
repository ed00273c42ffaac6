internal import Common
internal import MetricsServing
internal import ServiceLifecycle
internal import Telemetry

extension Bootstrap {
    /// The server of the process's metrics; empty unless `METRICS_PORT` is set.
    /// - Parameter page: nil: what the process counts and measures itself.
    func metricsServer(_ page: (@Sendable () async -> Exposition)?) -> [any Service] {
        let settings = configuration.settings
        guard let port = settings.metrics.port else { return [] }
        let process = ProcessMetrics()
        let own = { @Sendable [registry] in
            var page = registry.exposition()
            process.write(to: &page)
            return page
        }
        return [
            MetricsServer(
                host: settings.metrics.host, port: port, hosts: settings.http.allowedHosts,
                connections: settings.metrics.maxConnections, page: page ?? own, registry: registry, logger: logger
            ) { port in
                announce(
                    "metadata-gateway \(settings.role.rawValue) answers /metrics and /health on "
                        + "http://\(settings.metrics.host.bracketed):\(port)")
            }
        ]
    }
}

internal import Common
internal import Redis
internal import RequestLog
internal import RequestLogServing

extension Bootstrap {
    /// The prices of models: the gateway's own table, with the operator's file.
    func prices() throws -> PriceTable {
        try Self.reporting { () throws(ConfigurationError) in
            try PriceTable.load(overriding: configuration.settings.requestLog.pricesPath)
        }
    }

    /// The request log that this process keeps.
    func requestLog(
        in store: any RequestLogStore, auditing audits: any AuditLogStore, of destinations: TraceDestinations,
        redis: RedisEndpoint,
        envelope: Envelope,
        watch: RedisWatch? = nil
    ) throws -> RequestLogService {
        let responder = RequestLogResponder(store: store, audits: audits)
        return RequestLogService(
            configuration: configuration, secretsFile: secretsFile, projects: { destinations.projects },
            prices: try prices(), redis: redis, envelope: envelope, watch: watch, logger: logger,
            record: { try await store.add($0) },
            audit: { try await audits.add($0) }
        ) { path, query, asker in try await responder.answer(path, query, for: asker) }
    }
}

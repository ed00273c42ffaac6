internal import Common
internal import Redis
internal import RequestLog
internal import RequestLogServing

extension Launch {
    /// The request log that this process keeps.
    func requestLog(
        in store: any RequestLogStore, of destinations: TraceDestinations, redis: RedisEndpoint, envelope: Envelope,
        watch: RedisWatch? = nil
    ) -> RequestLogService {
        let responder = RequestLogResponder(store: store)
        return RequestLogService(
            configuration: configuration, projects: { destinations.projects }, redis: redis, envelope: envelope,
            watch: watch, logger: logger, record: { try await store.add($0) }
        ) { path, query, project in try await responder.answer(path, query, project: project) }
    }
}

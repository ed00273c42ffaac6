internal import Common
internal import Redis
internal import RequestLog
internal import RequestLogServing

extension Launch {
    /// What answers questions about the request log that this process keeps.
    func requestLog(
        in store: any RequestLogStore, redis: RedisEndpoint, envelope: Envelope, watch: RedisWatch? = nil
    ) -> RequestLogService {
        let responder = RequestLogResponder(store: store)
        return RequestLogService(
            configuration: configuration, redis: redis, envelope: envelope, watch: watch, logger: logger
        ) { path, query, project in try await responder.answer(path, query, project: project) }
    }
}

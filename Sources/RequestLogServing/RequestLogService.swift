package import Common
package import Logging
internal import Queue
package import Redis
package import RequestLog
package import ServiceLifecycle

/// What answers questions about the request log, put together: what it runs, in the order in which it starts. It belongs
/// to the process that keeps the log.
package struct RequestLogService {
    /// Answers a question of a project's (``RequestLogResponder``). A `GatewayError` is an answer too.
    package typealias Answer =
        @Sendable (
            _ path: String, _ query: QueryItems, _ project: String
        ) async throws -> RequestLogAnswer

    package let services: [any Service]

    /// - Parameters:
    ///   - envelope: opens the questions and seals the answers.
    ///   - watch: looks after Redis, and is run elsewhere; nil: the service has one of its own.
    package init(
        configuration: Configuration, redis endpoint: RedisEndpoint, envelope: Envelope, watch shared: RedisWatch? = nil,
        logger: Logger, answer: @escaping Answer
    ) {
        let watch = shared ?? RedisWatch(endpoint, envelope: envelope, logger: logger)
        let settings = configuration.settings
        var limits = QueueWorker.Limits(concurrency: settings.queryConcurrency, settings: settings)
        // A question has a time of its own, whatever a completion's is.
        limits.patience = max(limits.patience, settings.queryTimeout)
        let worker = QueueWorker(
            .queries, redis: endpoint, limits: limits, envelope: envelope,
            defaultProject: configuration.secrets.defaultProject, logger: logger)
        let work = QuestionWork(
            of: worker, envelope: envelope, maxDeliveries: settings.maxDeliveries, failure: .requestLogFailed,
            logger: logger
        ) { job, sink in try await Self.answer(job, with: answer, to: sink) }
        let own: [any Service] = shared == nil ? [watch] : []
        services = own + worker.services(watch: watch) { await work.run($0, control: $1) }
    }

    /// Answers a question, a wrong one with what is wrong about it.
    private static func answer(
        _ job: Job, with respond: Answer, to sink: any AnswerSink
    ) async throws {
        let answer: RequestLogAnswer
        do {
            answer = try await respond(job.path, try QueryItems(job.query), job.project)
        } catch let error as GatewayError {
            return try await sink.send(error.status, error.retryHeaders, json: error.json)
        }
        try await AnswerWriter.write(answer, to: sink)
    }
}

extension GatewayError {
    fileprivate static let requestLogFailed = GatewayError(
        status: 500, type: "server_error", code: "internal_error",
        message: "The request log failed. The log of its process has the cause under this answer's x-insertion-id.",
        shouldRetry: true)
}

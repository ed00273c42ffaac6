package import Common
package import Logging
internal import Queue
package import Redis
package import RequestLog
package import ServiceLifecycle

/// The request log's part of the process that keeps it, put together: what it runs, in the order in which it starts. It
/// writes the rows, and answers questions about them.
package struct RequestLogService {
    /// Answers a question (``RequestLogResponder``). A `GatewayError` is an answer too.
    package typealias Answer =
        @Sendable (
            _ path: String, _ query: QueryItems, _ asker: LogAsker
        ) async throws -> RequestLogResponse

    package let services: [any Service]

    /// - Parameters:
    ///   - secretsFile: its readings are audited, unless the watch is run elsewhere; nil: they are not.
    ///   - projects: those whose completions are traced, as they are now.
    ///   - prices: the prices of models.
    ///   - record: keeps rows, all or none (``RequestLogStore``).
    ///   - audit: keeps audit rows, all or none (``AuditLogStore``).
    ///   - envelope: opens records and questions, and seals the answers.
    ///   - watch: looks after Redis, and is run elsewhere; nil: the service has one of its own.
    package init(
        configuration: Configuration, secretsFile: SecretsFile? = nil,
        projects: @escaping @Sendable () -> [String], prices: PriceTable,
        redis endpoint: RedisEndpoint, envelope: Envelope, watch shared: RedisWatch? = nil, logger: Logger,
        record: @escaping @Sendable ([RequestRow]) async throws -> Void,
        audit: @escaping @Sendable ([AuditEvent]) async throws -> Void, answer: @escaping Answer
    ) {
        let settings = configuration.settings
        let watch = shared ?? RedisWatch(endpoint, envelope: envelope, settings: settings, logger: logger)
        var limits = QueueWorker.Limits(concurrency: settings.requestLog.queryConcurrency, settings: settings)
        // A question has a time of its own beside a completion's.
        limits.longestWait = max(limits.longestWait, settings.requestLog.queryTimeout)
        let worker = QueueWorker(
            .queries, redis: endpoint, limits: limits, envelope: envelope,
            keySpace: configuration.secrets.keySpace, logger: logger)
        let work = QuestionWork(
            of: worker, envelope: envelope, maxDeliveries: settings.queue.maxDeliveries, failure: .requestLogFailed,
            logger: logger
        ) { job, _, sink in try await Self.answer(job, with: answer, to: sink) }
        let reader = RedisClient(endpoint, logger: logger)
        let recorder = RequestRecorder(
            outbox: RecordOutbox(
                consumer: ProcessName.random(), commands: worker.commands, reader: reader,
                maximumBytes: settings.requestLog.bytes),
            prices: prices,
            keep: { rows in
                let (requests, audits) = (rows.requests, rows.audits)
                if !requests.isEmpty { try await record(requests) }
                if !audits.isEmpty { try await audit(audits) }
            }, envelope: envelope, projects: projects, isOpen: { watch.hasRightKey }, audit: worker.audit,
            logger: logger)
        // Elsewhere both have a follower already.
        if shared == nil {
            if let secretsFile { worker.audit?.follow(secretsFile) }
            worker.audit?.follow(watch)
        }
        let own: [any Service] = shared == nil ? [watch] : []
        services =
            own + worker.services(between: [reader, recorder], watch: watch) { await work.run($0, control: $1) }
    }

    /// Answers a question, a wrong one with what is wrong about it.
    private static func answer(
        _ job: Job, with respond: Answer, to sink: any ResponseSink
    ) async throws {
        let answer: RequestLogResponse
        do {
            answer = try await respond(
                job.path, try QueryItems(job.query), LogAsker(project: job.project, isOperator: job.isOperators))
        } catch let error as GatewayError {
            return try await sink.send(error.status, error.retryHeaders, json: error.json)
        }
        try await ResponseWriter.write(answer, to: sink)
    }
}

extension GatewayError {
    fileprivate static let requestLogFailed = GatewayError.internalError(
        "The request log failed. The log of its process has the cause under this answer's x-insertion-id.",
        shouldRetry: true)
}

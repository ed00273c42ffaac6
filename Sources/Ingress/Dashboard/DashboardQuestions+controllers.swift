internal import Common
internal import Queue
internal import Redis

extension DashboardQuestions.Controllers {
    /// The controllers that answer questions, the API's and the dashboard's alike.
    /// - Parameter calls: gives the dispatcher of a queue.
    init(
        _ configuration: Configuration, redis: RedisClient, responseKey: String, envelope: Envelope, watch: RedisWatch,
        identity: ResponseIdentity, pages: StatusPages, hooks: [any TracesHook], jobs: JobBuilder,
        projects: KnownProjects,
        audit: AuditLog?, asksForKeys: Bool, calls: (WorkQueue) -> JobDispatcher
    ) {
        let (settings, keySpace) = (configuration.settings, configuration.secrets.keySpace)
        self.init(
            identity: identity,
            queries: QueryController(
                calls: calls(.queries), redis: redis, responseKey: responseKey, window: settings.http.maxBufferedBytes,
                timeout: settings.requestLog.queryTimeout, isOn: settings.requestLog.place == .embedded),
            verification: VerificationController(
                calls: calls(.verifications), verdicts: VerdictStore(redis: redis, keySpace: keySpace),
                list: RolloutList(redis: redis, keySpace: keySpace), redis: redis, responseKey: responseKey,
                window: settings.http.maxBufferedBytes, hooks: hooks),
            logs: LogController(
                store: LogStore(redis: redis, envelope: envelope, keptLimit: settings.queue.keptBytes), watch: watch,
                maximumJSONDepth: settings.http.maxJSONDepth, maximumBytes: settings.queue.logEntryBytes),
            pages: pages,
            queue: QueueController(
                redis: redis, limits: .init(settings),
                letters: DeadLetterController(
                    letters: DeadLetters(redis: redis), envelope: envelope, projects: projects,
                    actions: .init(identity: identity, jobs: jobs, calls: calls(.completions), audit: audit))),
            rules: RulesController(jobs: jobs, rates: RateReader(redis: redis), asksForKeys: asksForKeys),
            open: OpenCompletions(
                redis: redis, keySpace: keySpace, longestWait: settings.calls.requestTimeout,
                isTracedByProxy: settings.backends.litellmTraces))
    }
}

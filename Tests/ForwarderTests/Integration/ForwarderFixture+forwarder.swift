import Common
import Logging
import Queue
import Redis
import ServiceLifecycle
import TestSupport

@testable import Forwarder

/// A forwarder at work: the parts of `ForwarderService`, with the test's upstream.
struct TestForwarder: Sendable {
    let stream: JobStream
    let jobs: RunningJobs
    let intake: Intake
    let local: LocalWorker
    fileprivate let group: ServiceGroup

    /// Tells it to stop, as SIGTERM does.
    func stop() async { await group.triggerGracefulShutdown() }

    /// Takes over what dead forwarders left, now and not at the next turn of the intake.
    func reclaim() async throws {
        await intake.start(try await stream.claim(upTo: jobs.freeSlots, running: jobs.entries))
    }
}

extension ForwarderFixture {
    /// Runs a forwarder while `body` does; then stops it and waits for its end.
    func withForwarder(
        _ name: String = "forwarder", capacity: Int = 100, drain: Duration = .seconds(20),
        limits: CallLimits = CallLimits(),
        accounts: [ProviderAccount] = [], spans: RecentSpans = RecentSpans(), isCompact: Bool = false,
        isTraced: Bool = true, keptLimit: Int = .max, projects: [Project] = [Project(name: "local")],
        settings: (inout Settings) -> Void = { _ in },
        logger: Logger = .silent,
        _ body: (TestForwarder) async throws -> Void
    ) async throws {
        let commands = RedisClient(server.endpoint, logger: .silent)
        let reader = RedisClient(server.endpoint, logger: .silent)
        let stream = JobStream(
            consumer: name, commands: commands, reader: reader, deadLetterLimit: 100, keptLimit: keptLimit)
        let jobs = RunningJobs(capacity: capacity)
        let directory = try ProviderDirectory.made(accounts: accounts, projects: projects, settings: settings)
        var sender = ResponseSender(
            stream: stream, envelope: envelope, keySpace: .local, spanLife: .seconds(60), logger: .silent)
        sender.keepSpan = spans.keep
        let runner = JobRunner(
            directory: { directory }, upstream: upstream,
            models: ModelListCache(upstream: upstream, maximumAge: .seconds(60), logger: .silent), sender: sender,
            envelope: envelope,
            check: JobCheck(stream: stream, maxDeliveries: 3, errors: .calls, logger: .silent), limits: limits,
            isTraced: { _ in isTraced }, writesCompactSpans: { isCompact },
            logger: logger)
        let clock = RedisClock()
        let local = LocalWorker(jobs: jobs)
        let intake = Intake(stream: stream, jobs: jobs, clock: clock, drain: drain, local: local, logger: .silent) {
            runner.start($0, control: $1, done: $2)
        }
        let services: [any Service] = [
            commands, reader, SignalListener(endpoint: server.endpoint, stream: stream, jobs: jobs, logger: .silent),
            Heartbeat(stream: stream, clock: clock, logger: .silent), intake,
        ]
        let group = ServiceGroup(services: services, logger: .silent)
        let forwarder = TestForwarder(stream: stream, jobs: jobs, intake: intake, local: local, group: group)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            try await commands.waitUntilReady(timeout: .seconds(10))
            try await reader.waitUntilReady(timeout: .seconds(10))
            do {
                try await body(forwarder)
            } catch {
                tasks.cancelAll()
                throw error
            }
            await forwarder.stop()
            try await tasks.waitForAll()
        }
    }
}

import Compression
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Queue
@testable import Redis
@testable import Upstream

/// Exporters on a private Redis, before a trace store that the test plays.
struct ExportFixture: Sendable {
    let server: RedisServer
    let redis: RedisClient
    let store = ScriptedUpstream()
    let envelope = Envelope(key: .random())
    let ids = InsertionIDGenerator()

    static func run(_ body: (ExportFixture) async throws -> Void) async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { try await body(ExportFixture(server: server, redis: $0)) }
        }
    }

    /// Puts a finished completion's span into the outbox, as the end of its job does.
    @discardableResult
    func leave(
        _ project: String = "a", text: String? = nil, hasFailed: Bool = false, life: Duration = .seconds(7200),
        isLogged: Bool = false, isExported: Bool = true
    ) async throws -> InsertionID {
        let id = ids.next()
        return try await leave(
            id, span: Array((text ?? #"{"id":"\#(id)"}"#).utf8), project: project, hasFailed: hasFailed, life: life,
            isLogged: isLogged, isExported: isExported)
    }

    /// - Parameter span: as it is before it is sealed.
    @discardableResult
    func leave(
        _ id: InsertionID, span: [UInt8], project: String = "a", hasFailed: Bool = false,
        life: Duration = .seconds(7200), isLogged: Bool = false, isExported: Bool = true
    ) async throws -> InsertionID {
        let stream = JobStream(consumer: "f", commands: redis, reader: redis, deadLetterLimit: 1)
        try await stream.join()
        let job = Job(
            insertionID: id, project: project,
            rollout: RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "n", row: "w"),
            method: "POST", path: "/", deadline: .distantFuture, responseKey: "gateway/responses/none")
        let admission = JobAdmission(
            redis: redis, envelope: envelope,
            limits: .init(entries: 10, bytes: 1 << 30, rolloutTTL: .seconds(600), spanBytes: 1 << 30),
            keySpace: KeySpace(defaultProject: "a"))
        _ = try await admission.enqueue(job)
        let delivery = try #require(try await stream.read(upTo: 1, wait: .seconds(1)).first)
        let span = try envelope.seal(span, for: .span(id, holding: span))
        let rollout = hasFailed ? KeySpace(defaultProject: "a").keys(of: Rollout("r", project: project)) : nil
        let ending = JobStream.Ending(
            removeFrom: rollout,
            span: .init(
                project: project, sealed: span, life: life, isExported: isExported, isLogged: isLogged))
        #expect(try await stream.finish(delivery, id: id, responseKey: nil, sealed: nil, ending: ending))
        return id
    }

    func outbox(_ name: String, maximumBytes: Int = 1 << 30) -> SpanOutbox {
        SpanOutbox(consumer: name, commands: redis, reader: redis, maximumBytes: maximumBytes)
    }

    /// Where these projects' spans go.
    func destinations(of projects: [String]) throws -> TraceDestinations {
        var settings = Settings(role: .forwarder)
        settings.backends.langfuse = try .url(#require(BaseURL("http://store:3000")))
        let configuration = Configuration(settings: settings, secrets: Self.secrets(of: projects), warnings: [])
        return TraceDestinations(configuration) { _ in
            LangfuseKeys(publicKey: SecretString("pk"), secretKey: SecretString("sk"))
        }
    }

    static func secrets(of projects: [String], key: String = "sk") -> Secrets {
        let keys = LangfuseKeys(publicKey: SecretString("pk"), secretKey: SecretString(key))
        return Secrets(
            projects: Dictionary(
                uniqueKeysWithValues: projects.map { (UTF8Text($0), Project(name: $0, langfuse: keys)) }),
            defaultProject: projects[0])
    }

    func sender(
        _ outbox: SpanOutbox, of projects: [String] = ["a"], destinations: TraceDestinations? = nil,
        recent: RecentSpans = RecentSpans(), logger: Logger = .silent
    ) throws -> SpanSender {
        SpanSender(
            outbox: outbox, destinations: try destinations ?? self.destinations(of: projects), upstream: store,
            envelope: envelope,
            recent: recent, timeout: .seconds(10), logger: logger)
    }

    /// Runs an exporter of these projects while `body` does.
    func withExporter(
        of projects: [String] = ["a"], destinations: TraceDestinations? = nil, maximumBytes: Int = 1 << 30,
        logger: Logger = .silent,
        _ body: () async throws -> Void
    ) async throws {
        let commands = RedisClient(server.endpoint, logger: .silent)
        let reader = RedisClient(server.endpoint, logger: .silent)
        let outbox = SpanOutbox(
            consumer: ProcessName.random(), commands: commands, reader: reader, maximumBytes: maximumBytes)
        let destinations = try destinations ?? self.destinations(of: projects)
        let exporter = Exporter(
            outbox: outbox, destinations: destinations,
            sender: try sender(outbox, of: projects, destinations: destinations, logger: logger),
            interval: .milliseconds(10), logger: logger)
        let group = ServiceGroup(services: [commands, reader, exporter], logger: .silent)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch {
                tasks.cancelAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// A minute passes in which an exporter does nothing about what it was given.
    func neglect(_ entries: [SpanOutbox.Entry], by consumer: String) async throws {
        for entry in entries {
            _ = try await redis.send(
                RedisCommand(
                    "XCLAIM", Keys.traces(project: "a"), Keys.exporterGroup, consumer, 0, entry.entry, "IDLE", 61_000,
                    "JUSTID"))
        }
    }

    /// The next batch that an exporter sends.
    func next() async throws -> ScriptedCall { try #require(await store.next()) }

    func waiting(_ project: String = "a") async throws -> Int {
        try await redis.send(RedisCommand("XLEN", Keys.traces(project: project))).int ?? 0
    }

    func bytes() async throws -> Int { try await redis.send(RedisCommand("GET", Keys.traceBytes)).int ?? 0 }

    /// Waits until nothing waits for its export.
    func untilEmpty(_ project: String = "a") async throws {
        try await eventually { try await waiting(project) == 0 }
    }
}

extension ScriptedCall {
    /// The body as it was before compression.
    func text() throws -> String {
        String(decoding: try BodyDecoder([.gzip], limit: 64 << 20).decode(request.body), as: UTF8.self)
    }

    /// The spans that the batch holds, by the ids that `ExportFixture.leave` writes into them.
    func ids() throws -> Set<String> {
        Set(try text().split(separator: #"{"id":""#).dropFirst().map { String($0.prefix(36)) })
    }

    /// Answers the batch as a trace store does.
    func settle(_ status: Int, _ headers: [HeaderField] = []) { answer(status, headers).send("{}").end() }
}

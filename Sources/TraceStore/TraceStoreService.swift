package import Common
internal import HTTPServing
internal import Hummingbird
package import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
package import RequestLog
package import ServiceLifecycle
package import Telemetry

/// The embedded trace store, put together: what it runs, in the order in which it starts. It stops in the reverse
/// order: first no more requests are taken.
package struct TraceStoreService {
    /// The bounds of the store.
    package struct Limits: Sendable, Equatable {
        /// The time for which a trace is kept (`TRACESTORE_MAX_AGE`).
        package var age: Duration
        /// Bytes that all rows may take on disk (`TRACESTORE_MAX_BYTES`).
        package var bytes: Int
        /// The largest export, decompressed (`TRACESTORE_MAX_EXPORT_BYTES`).
        package var exportBytes: Int
        /// The time for which a row of the request log is kept (`REQUEST_LOG_MAX_AGE`).
        package var requestAge: Duration
        /// The time for which an audit row is kept (`AUDIT_LOG_MAX_AGE`).
        package var auditAge: Duration
        /// The most connections of clients (`TRACESTORE_MAX_CONNECTIONS`).
        package var connections: Int

        /// - Parameters:
        ///   - requestAge: nil: as long as a trace.
        ///   - auditAge: nil: as long as a trace.
        package init(
            age: Duration, bytes: Int, exportBytes: Int, requestAge: Duration? = nil, auditAge: Duration? = nil,
            connections: Int = 256
        ) {
            self.age = age
            self.bytes = bytes
            self.exportBytes = exportBytes
            self.requestAge = requestAge ?? age
            self.auditAge = auditAge ?? age
            self.connections = connections
        }
    }

    /// The largest head of a request: Node's default, which Langfuse keeps. It bounds the URL, and so the filter in it.
    static let maximumHeadBytes = 16 << 10
    /// The number of the largest exports that may be in memory at once; of small ones, as many as take no more.
    static let exportsAtOnce = 4
    /// The time for which a client's connection may stand unused.
    static let idleTimeout = TimeAmount.seconds(75)
    /// The name of the file in the store's folder.
    static let fileName = "traces.sqlite"

    package let services: [any Service]
    /// The store for the spans of a forwarder in the same process.
    package let spans: any SpanStore
    /// The request log, which lies in the same file.
    package let requests: any RequestLogStore
    /// The audit log, in the same file too.
    package let audits: any AuditLogStore
    private let ring: NIOLockedValueBox<KeyRing>
    private let database: TraceDatabase

    /// Opens the store, or makes it.
    /// - Parameters:
    ///   - directory: an existing folder, which no other process uses.
    ///   - keys: each project's, by the project's name. A project sees what was written with its keys.
    ///   - port: 0 for any free one.
    ///   - hosts: the names under which it answers, as the operator sets them.
    ///   - takesTraces: false: it is there for the request log alone, and does not listen.
    ///   - faults: the faults to inject; for tests.
    ///   - registry: gets the store's metrics.
    ///   - now: the clock; for tests.
    ///   - onListening: is told the port once connections are accepted.
    /// - Throws: `ConfigurationError` if two projects have the same keys; `TraceStoreError` if the file cannot be used.
    package init(
        directory: String, keys: [UTF8Text: LangfuseKeys], host: String, port: Int, hosts: AllowedHosts? = nil,
        takesTraces: Bool = true, limits: Limits,
        faults: FaultInjector = FaultInjector(), registry: MetricsRegistry = MetricsRegistry(),
        now: @escaping @Sendable () -> Timestamp = { .now }, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) throws {
        let ring = NIOLockedValueBox(try KeyRing(keys))
        self.ring = ring
        let path = "\(directory)/\(Self.fileName)"
        do { database = try TraceDatabase(path: path, projects: keys.keys.map(\.text)) } catch {
            throw TraceStoreError(path: path, underlying: error)
        }
        let database = self.database
        let requests = RequestDatabase(database: database)
        self.requests = requests
        let audits = AuditDatabase(database: requests)
        self.audits = audits
        let intake = RowIntake(database: database, faults: faults, now: now, metrics: TraceStoreMetrics(registry))
        spans = SpanIntake(rows: intake, logger: logger)
        let responder = TraceStoreResponder(
            hosts: AllowedHosts(hosts, listeningOn: host, asksForKeys: false), keys: ring,
            reader: TraceReader(database: database),
            intake: intake, exportLimit: limits.exportBytes,
            budget: ExportBudget(limit: Self.exportsAtOnce * limits.exportBytes))
        let gate = AcceptGate(.tracestore, limit: limits.connections, registry: registry, logger: logger)
        let connections = IdleConnections(limit: limits.connections)
        let application = Application(
            responder: responder,
            server: .serving(
                .init(
                    additionalChannelHandlers: [connections.handler()],
                    idleTimeout: Self.idleTimeout,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: Self.maximumHeadBytes, maxHeaderListSize: Self.maximumHeadBytes))),
            configuration: .init(
                address: .hostname(host, port: port), backlog: 1024, availableConnectionsDelegate: gate),
            onServerRunning: { channel in
                await gate.attach(to: channel)
                await onListening(channel.localAddress?.port ?? port)
            },
            logger: logger)
        let keeping: [any Service] = [
            DatabaseService(database: database, logger: logger),
            StoreFileWatch(database: database, logger: logger),
            Retention(
                database: database,
                limits: RetentionLimits(
                    age: limits.age, bytes: limits.bytes, requestAge: limits.requestAge, auditAge: limits.auditAge),
                now: now, logger: logger, requests: requests, audits: audits),
        ]
        let server = ListeningServer(
            application, host: host, port: port, settings: .init(host: "TRACESTORE_HOST", port: "TRACESTORE_PORT"))
        services = keeping + (takesTraces ? [server] : [])
    }

    /// The trouble that keeps the store from taking and giving traces, as far as it is seen from outside; nil: none.
    package var trouble: String? { database.standing.trouble }

    /// Checks other keys, and makes room for their projects.
    /// - Returns: what has the store take them.
    /// - Throws: `ConfigurationError` if two projects have the same keys, or the store cannot take a new project.
    package func prepare(keys: [UTF8Text: LangfuseKeys]) throws(ConfigurationError) -> @Sendable () -> Void {
        let new = try KeyRing(keys)
        do { try database.add(projects: keys.keys.map(\.text)) } catch {
            throw ConfigurationError(
                at: .environment("DATA_DIR"), "the trace store cannot take a new project: \(error)")
        }
        return { [ring] in ring.withLockedValue { $0 = new } }
    }
}

/// The store's file cannot be opened, or is not one of the store's.
package struct TraceStoreError: Error, CustomStringConvertible {
    package let path: String
    let underlying: any Error

    package var description: String {
        "\(path): cannot be opened as the trace store: \(underlying); move it away with its -wal and -shm files, or choose another folder"
    }
}

/// Closes the file when all that uses it has ended.
private struct DatabaseService: NamedService {
    let database: TraceDatabase
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        do { try database.close() } catch {
            logger.warning("the trace store was not closed in order", metadata: ["error": "\(error)"])
        }
    }
}

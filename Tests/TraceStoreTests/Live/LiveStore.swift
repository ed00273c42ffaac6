import Common
import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import TestSupport

@testable import TraceStore

/// The whole store on a free port, in a folder of its own, with the keys of two projects.
struct LiveStore: Sendable {
    static let keys: [UTF8Text: LangfuseKeys] = [
        "main": LangfuseKeys(publicKey: SecretString("pk-lf-main"), secretKey: SecretString("sk-lf-main")),
        "other": LangfuseKeys(publicKey: SecretString("pk-lf-other"), secretKey: SecretString("sk-lf-other")),
    ]

    /// What a test may set before the store starts.
    struct Plan: Sendable {
        var limits = TraceStoreService.Limits(age: .seconds(86_400), bytes: 1 << 30, exportBytes: 8 << 20)
        var folder: String?
        var logger = Logger.silent
    }

    let port: Int
    /// Where a forwarder of this process puts its spans.
    let spans: any SpanStore
    let faults: FaultInjector
    /// What the store takes for the time. It begins at `SampleSpan.start`.
    let clock: NIOLockedValueBox<Timestamp>

    /// Runs `body` with a store, which is stopped when the body ends.
    static func run<Result: Sendable>(
        _ plan: Plan = Plan(), _ body: (LiveStore) async throws -> Result
    ) async throws -> Result {
        guard let folder = plan.folder else {
            return try await withTemporaryFolder { folder in
                var plan = plan
                plan.folder = folder
                return try await run(plan, body)
            }
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let faults = FaultInjector()
        let clock = NIOLockedValueBox(SampleSpan.start)
        let store = try TraceStoreService(
            directory: folder, keys: keys, host: "127.0.0.1", port: 0, limits: plan.limits, faults: faults,
            now: { clock.withLockedValue { $0 } },
            logger: plan.logger, onListening: { listening.yield($0) })
        let services = ServiceGroup(services: store.services, logger: .silent)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw CancellationError() }
            do {
                let result = try await body(LiveStore(port: port, spans: store.spans, faults: faults, clock: clock))
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
                return result
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    /// One request over a connection of its own.
    func call(
        _ method: String, _ target: String, project: String? = "main", headers: [String] = [], body: [UInt8] = []
    ) async throws -> HTTPAnswer {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost", "Content-Length: \(body.count)"] + headers
        if let project { lines.append("Authorization: \(Self.authorization(project))") }
        let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        return try await withRawClient(to: port) { client in
            try await client.send(request)
            return try await client.answer(hasBody: method != "HEAD")
        }
    }

    static func authorization(_ project: String) -> String {
        "Basic " + Data("pk-lf-\(project):sk-lf-\(project)".utf8).base64EncodedString()
    }

    /// Exports spans as JSON.
    @discardableResult
    func export(_ spans: [SampleSpan], project: String = "main") async throws -> HTTPAnswer {
        try await call(
            "POST", "/api/public/otel/v1/traces", project: project,
            headers: ["Content-Type: application/json", "x-langfuse-ingestion-version: 4"],
            body: Array(SampleSpan.export(spans).utf8))
    }

    /// A page of the newer API.
    func observations(_ query: String = "", project: String = "main") async throws -> StoredPage {
        try StoredPage(try await call("GET", "/api/public/v2/observations?\(query)", project: project))
    }

    /// A page of the older API.
    func traces(_ query: String = "", project: String = "main") async throws -> StoredPage {
        try StoredPage(try await call("GET", "/api/public/traces?\(query)", project: project))
    }

    /// How many rows the newer API counts for these filters.
    func count(_ filters: String = "[]") async throws -> String {
        let query = """
            {"view":"observations","metrics":[{"measure":"count","aggregation":"count"}],"filters":\(filters),\
            "fromTimestamp":"2020-01-01T00:00:00Z","toTimestamp":"2030-01-01T00:00:00Z"}
            """
        return try await call("GET", "/api/public/v2/metrics?query=\(PercentEncoding.segment(query))").text
    }
}

/// Lends a new folder to `body` and removes it with all that is in it.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tracestore-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

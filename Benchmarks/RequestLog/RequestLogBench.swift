internal import Common
internal import GRDB
internal import Glibc
internal import Logging
internal import RequestLog
internal import TraceStore

/// Measures pages and charts of a large request log.
///
///     RequestLogBench generate FOLDER ROWS ROWS_OF_THE_LAST_DAY [END PROJECT]
///     RequestLogBench measure FOLDER [END PROJECT]
///     RequestLogBench add FOLDER ROWS
///
/// `END` is the end of the rows, in milliseconds since 1970; a fixed moment without it.
@main
enum RequestLogBench {
    /// The end of the rows: a fixed moment, so that each run asks the same.
    static let end: UInt64 = 1_795_000_000_000

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2 else {
            return print(
                "RequestLogBench generate FOLDER ROWS ROWS_OF_THE_LAST_DAY [END PROJECT] | "
                    + "measure FOLDER [END PROJECT] | "
                    + "add FOLDER ROWS")
        }
        switch arguments[1] {
        case "generate": try generate(arguments[2], Array(arguments[3...]))
        case "add": try await add(try service(arguments[2]).requests, Int(arguments[3]) ?? 10_000)
        default:
            try await measure(
                try service(arguments[2]), end: arguments.count > 3 ? UInt64(arguments[3]) ?? end : end,
                project: arguments.count > 4 ? arguments[4] : "p")
        }
    }

    private static func service(_ folder: String) throws -> TraceStoreService {
        try TraceStoreService(
            directory: folder, keys: [:], host: "127.0.0.1", port: 0,
            limits: .init(age: .seconds(1), bytes: 1 << 40, exportBytes: 1 << 20), logger: Logger(label: "bench"),
            onListening: { _ in })
    }

    private static func generate(_ folder: String, _ arguments: [String]) throws {
        func number(_ index: Int) -> Int? { arguments.indices.contains(index) ? Int(arguments[index]) : nil }
        // Makes the tables, and closes the file.
        _ = try service(folder)
        let queue = try DatabaseQueue(path: "\(folder)/traces.sqlite")
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF")
            try db.execute(sql: "PRAGMA cache_size = -262144; BEGIN")
            let began = ContinuousClock.now
            try BulkRows(
                db: db, project: arguments.count > 3 ? arguments[3] : "p", rows: number(0) ?? 0,
                lastDay: number(1) ?? 0, end: number(2).flatMap { UInt64(exactly: $0) } ?? end, audits: 200_000
            ).write()
            try db.execute(sql: "COMMIT")
            print("generated in \(ContinuousClock.now - began)")
        }
    }

    /// How fast rows are taken in batches of 100.
    private static func add(_ store: any RequestLogStore, _ count: Int) async throws {
        let ids = InsertionIDGenerator()
        let rows = (0..<count).map { number in
            var row = RequestRow(id: ids.next(), project: "added", outcome: .succeeded, status: 200)
            row.rollout = RolloutIDs(
                rollout: "r\(number / 1000)", invocation: "i", experiment: "e", run: "u", row: "\(number % 1000)")
            row.modelServed = "gpt-4o"
            row.provider = "openai"
            row.metadata = BulkRows.metadata.enumerated().map { key, values in
                .init("key\(key)", "value\(number &* 7919 % values)", from: .header)
            }
            row.attempts = [SpanAttempt(number: 1, model: "openai/gpt-4o", failure: nil, began: .epoch, ended: .epoch)]
            return row
        }
        let began = ContinuousClock.now
        for start in stride(from: 0, to: count, by: 100) {
            try await store.add(Array(rows[start..<min(start + 100, count)]))
        }
        let seconds = Double((ContinuousClock.now - began).milliseconds) / 1000
        print("added \(count) rows in \(seconds) s: \(Int(Double(count) / seconds)) rows a second")
    }

    private static let pages = [
        ("no filter", "limit=100"), ("a frequent value", "metadata.key0=key0-value0"),
        ("a rare value", "metadata.key19=key19-value99990"),
        ("two values", "metadata.key3=key3-value1&metadata.key5=key5-value9"),
        ("three values, 24 h", "from=24h&metadata.key3=key3-value4&metadata.key8=key8-value19&model=model19"),
        ("a value that is none", "metadata.key0=never"),
        ("frequent and slow", "metadata.key0=key0-value0&latency[gte]=59900"),
        ("slow", "latency[gte]=59990"), ("5xx, of which there are none", "status=5xx"), ("one status", "status=207"),
        ("contains in few values", "metadata.key9[contains]=value24"),
        ("contains in 100,000 values", "metadata.key19[contains]=value9999"),
        ("starts with", "metadata.key19[starts_with]=key19-value9999"), ("not", "metadata.key0[ne]=key0-value0"),
        ("absent", "metadata.key0[absent]"), ("rollout", "rollout=rollout1999"),
        ("user and 30 d", "from=30d&user=user499"),
        ("from 20 d to 19 d", "from=20d&to=19d&metadata.key4=key4-value7"),
        ("nothing of two", "metadata.key19=key19-value99999&user=user499"),
        ("list", "metadata.key19[in]=key19-value5,key19-value50000,key19-value70000"),
    ]

    private static let charts = [
        ("24 h", "interval=1h"), ("24 h by environment", "interval=1h&group_by=metadata.key0"),
        ("24 h by model", "interval=5m&group_by=model"), ("24 h by customer", "group_by=metadata.key19"),
        (
            "24 h by environment, all percentiles",
            "interval=1h&group_by=metadata.key0&measures=latency_p50,latency_p75,latency_p90,latency_p99"
        ),
        ("24 h by user, filtered", "interval=1h&group_by=user&metadata.key0=key0-value2"),
        ("24 h of one customer", "interval=1h&metadata.key19=key19-value99990"),
        ("24 h by model, requests", "interval=1h&group_by=model&measures=requests,errors"),
    ]

    /// What this process has used of the processors: the figure that other processes do not change.
    private static var processorMilliseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
    }

    private static func measure(_ service: TraceStoreService, end: UInt64, project: String) async throws {
        let responder = RequestLogResponder(
            store: service.requests, audits: service.audits, now: { Timestamp(milliseconds: end) })
        for (path, questions) in [("/logs/requests", pages), ("/metrics/query", charts)] {
            print("\(path)\nfirst ms | median ms | p95 ms | processor ms | bytes | question")
            for (name, query) in questions {
                var times: [Double] = []
                var bytes = 0
                let usedBefore = processorMilliseconds
                for _ in 0..<20 {
                    let began = ContinuousClock.now
                    let answer = try await responder.answer(path, QueryItems(query), for: LogAsker(project: project))
                    if case .whole(let body) = answer.body { bytes = body.count }
                    times.append(Double((ContinuousClock.now - began) / .microseconds(1)) / 1000)
                }
                let used = (processorMilliseconds - usedBefore) / 20
                let first = times[0]
                times.sort()
                print("\(first) | \(times[10]) | \(times[19]) | \(used) | \(bytes) | \(name)")
            }
        }
    }
}

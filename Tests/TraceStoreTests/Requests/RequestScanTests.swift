import Common
import GRDB
import NIOConcurrencyHelpers
import RequestLog
import TestSupport
import Testing

@testable import TraceStore

/// How pages and charts find their rows: by which index, and within which bounds.
@Suite(.timeLimit(.minutes(5)))
struct RequestScanTests {
    private static let rows = 12_000

    private static func id(_ number: Int) -> InsertionID {
        InsertionID(milliseconds: (SampleRequests.start + number).milliseconds, counter: 0, randomBits: 0)
    }

    /// Rows of which each has a customer of its own, and the oldest alone a key with many values.
    private static func row(_ number: Int) -> RequestRow {
        var row = RequestRow(id: id(number), project: "p", outcome: .succeeded, status: 200)
        row.metadata = [
            .init("customer", "customer-\(number)", from: .header), .init("environment", "prod", from: .header),
        ]
        if number < 150 { row.metadata.append(.init("rare", "rare-\(number)", from: .header)) }
        row.latency = UInt64(number)
        return row
    }

    private static func run(
        looks: Int = RequestDatabase.pageLooks, _ body: (TraceDatabase, RequestDatabase) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            let store = RequestDatabase(database: database, looks: looks, pageTime: nil)
            try await store.add((0..<rows).map(row))
            try await body(database, store)
            try database.close()
        }
    }

    private static func filter(_ key: String, _ test: RequestFilter.Test) -> RequestFilter {
        var filter = RequestFilter()
        filter.conditions = [.init(.metadata(UTF8Text(key)), test)]
        return filter
    }

    /// The rows lie behind more of others than a page may look at: only the index finds them in one page.
    @Test(arguments: [
        filter("rare", .present), filter("rare", .startsWith("rare-")), filter("rare", .contains("are-")),
        filter("customer", .contains("r-77")),
    ])
    func `what many values pass is found by the index`(filter: RequestFilter) async throws {
        try await Self.run(looks: 7000) { _, store in
            var filter = filter
            filter.to = SampleRequests.start + 9000
            let page = try await store.page(filter, after: nil, limit: 1000, project: "p")
            #expect(page.rows == (0..<9000).reversed().map(Self.row).filter { filter.holds($0) })
            #expect(page.rows.count > 100 && page.next == nil)
        }
    }

    /// However slow the disk, a page ends in time, with a cursor from which the search goes on.
    @Test func `a page whose time is over goes on later`() async throws {
        try await Self.run { database, _ in
            let filters = [
                Self.filter("rare", .absent), Self.filter("environment", .anyOf(["prod"])),
                Self.filter("customer", .contains("never")),
            ]
            for filter in filters {
                let turns = try await database.read { db in
                    let project = try #require(try TermBook.number(ofKnownProject: "p", db))
                    var (turns, found, next) = (0, 0, Int64?.some(.max))
                    while let end = next {
                        var scan = try #require(try RequestScan(filter, before: end, project: project, db))
                        next = try scan.page(within: .init(looks: .max, end: ContinuousClock.now)) { _, _ in
                            found += 1
                            return .on
                        }
                        turns += 1
                    }
                    #expect(found == (0..<Self.rows).map(Self.row).filter { filter.holds($0) }.count)
                    return turns
                }
                #expect(turns > 100, "each page looks at few rows")
            }
        }
    }

    /// No page or chart reads a table or an index from one end to the other, or puts rows in order itself.
    @Test func `every statement searches an index`() async throws {
        var ranged = Self.filter("customer", .contains("r-77"))
        (ranged.from, ranged.to) = (SampleRequests.start, SampleRequests.start + 11_000)
        ranged.statuses = [.init([500...599])]
        var slow = RequestFilter()
        slow.bounds = [.init(.latency, .atLeast, value: 11_000)]
        let filters = [
            RequestFilter(), ranged, slow, Self.filter("rare", .present), Self.filter("rare", .absent),
            Self.filter("environment", .anyOf(["prod"])), Self.filter("customer", .noneOf(["customer-1"])),
        ]
        try await Self.run { database, _ in
            let plans = try await database.read { db in
                let seen = NIOLockedValueBox<Set<String>>([])
                db.trace { event in
                    if case .statement(let statement) = event { seen.withLockedValue { _ = $0.insert(statement.sql) } }
                }
                let project = try #require(try TermBook.number(ofKnownProject: "p", db))
                for filter in filters {
                    var scan = try #require(try RequestScan(filter, project: project, db))
                    _ = try scan.page(within: .init(looks: RequestDatabase.pageLooks, end: nil)) { _, _ in .on }
                    scan = try #require(try RequestScan(filter, project: project, db))
                    _ = try scan.all(reading: [.latency], terms: true) { _, _ in }
                    _ = try RequestScan.halves(of: filter, project: project, db)
                }
                db.trace()
                return try seen.withLockedValue { $0 }.filter { $0.hasPrefix("SELECT") }.map { sql in
                    let rows = StatementRows(try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql))
                    var details: [String] = []
                    while try rows.next() { details.append(rows.text(3) ?? "") }
                    return (sql: sql, details: details)
                }
            }
            #expect(plans.contains { $0.sql.contains("FROM request\n") })
            for table in ["request ", "request_index ", "request_term "] {
                #expect(plans.contains { $0.details.contains { $0.hasPrefix("SEARCH \(table)") } }, "\(table)")
            }
            for (sql, details) in plans {
                #expect(!details.contains { $0.hasPrefix("SCAN request") }, "\(sql): \(details)")
                #expect(!details.contains { $0.contains("TEMP B-TREE") }, "\(sql): \(details)")
            }
        }
    }

    /// Numbers of terms go on for as long as rows come: a chart's groups are found also above those that it has a
    /// place for.
    @Test func `charts of late terms conform`() async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            try await database.write { db in
                try db.execute(sql: "INSERT INTO sqlite_sequence(name, seq) VALUES ('request_term', \(1 << 20 - 40))")
            }
            var conformance = RequestLogConformance(store: RequestDatabase(database: database, pageTime: nil), seed: 11)
            try await conformance.add(rows: 250)
            try await conformance.checkMetrics(rounds: 40)
            try await conformance.checkSums()
            try database.close()
        }
    }
}

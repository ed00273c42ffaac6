import Common
import GRDB
import RequestLog
import TestSupport
import Testing

@testable import TraceStore

/// The request log in SQLite does what any must, and keeps to its bounds.
@Suite(.timeLimit(.minutes(5)))
struct RequestDatabaseTests {
    private static func run(
        looks: Int = RequestDatabase.pageLooks, _ body: (TraceDatabase, RequestDatabase) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            try await body(database, RequestDatabase(database: database, looks: looks, pageTime: nil))
            try database.close()
        }
    }

    /// With few looks a page, most pages end before they are full.
    @Test(arguments: [(1, 100_000, 40), (2, 50, 20), (3, 1, 3)] as [(UInt64, Int, Int)])
    func `it conforms`(seed: UInt64, looks: Int, rounds: Int) async throws {
        try await Self.run(looks: looks) { _, store in
            var conformance = RequestLogConformance(store: store, seed: seed)
            try await conformance.add(rows: 250)
            try await conformance.checkRows()
            try await conformance.checkPages(rounds: 2 * rounds)
            try await conformance.checkMetrics(rounds: rounds)
            try await conformance.checkSums()
            try await conformance.checkSuggestions()
            try await conformance.checkPagesWhileRowsAreAdded()
            try await conformance.checkPages(rounds: rounds)
        }
    }

    @Test func `the model conforms to itself`() async throws {
        var conformance = RequestLogConformance(store: MemoryRequestLog(), seed: 5)
        try await conformance.add(rows: 200)
        try await conformance.checkRows()
        try await conformance.checkSums()
        try await conformance.checkPages(rounds: 20)
    }

    /// A filter is about more values than are read in advance, so each is looked at when a row has it.
    @Test func `a key with very many values is searched`() async throws {
        try await Self.run { _, store in
            let rows = (0..<5000).map { number in
                var row = RequestRow(
                    id: InsertionID(
                        milliseconds: (SampleRequests.start + number).milliseconds, counter: 0, randomBits: 0),
                    project: "p", outcome: .succeeded, status: 200)
                row.metadata = [.init("customer", "customer-\(number)", from: .header)]
                return row
            }
            try await store.add(rows)
            var filter = RequestFilter()
            filter.conditions = [.init(.metadata("customer"), .contains("-77"))]
            var found: [RequestRow] = []
            var cursor: PageCursor?
            repeat {
                let page = try await store.page(filter, after: cursor, limit: 1000, project: "p")
                found += page.rows
                cursor = page.next
            } while cursor != nil
            #expect(found == rows.reversed().filter { filter.holds($0) })
            #expect(found.count == 11)
            filter.conditions = [
                .init(.metadata("customer"), .present), .init(.metadata("customer"), .startsWith("customer-4999")),
            ]
            #expect(try await store.page(filter, after: nil, limit: 10, project: "p").rows == [rows[4999]])
        }
    }

    @Test func `rows of one place are told apart`() async throws {
        try await Self.run { _, store in
            let ids = (0..<20).map { InsertionID(milliseconds: 1_790_000_000_000, counter: 7, randomBits: UInt64($0)) }
            for id in ids { try await store.add([RequestRow(id: id, project: "p", outcome: .failed, status: 500)]) }
            for id in ids { try await store.add([RequestRow(id: id, project: "p", outcome: .succeeded, status: 200)]) }
            let page = try await store.page(RequestFilter(), after: nil, limit: 100, project: "p")
            #expect(Set(page.rows.map(\.id)) == Set(ids))
            #expect(page.rows.count == 20 && page.next == nil)
            for id in ids { #expect(try await store.row(id, project: "p")?.status == 200) }
        }
    }

    @Test func `a file of an older version gains the tables`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let old = try DatabasePool(path: path)
            try Schema.migrator.migrate(old, upTo: "1 observations, traces, tags")
            try old.close()
            let database = try TraceDatabase(path: path, projects: ["p"])
            let store = RequestDatabase(database: database, pageTime: nil)
            var samples = SampleRequests(seed: 1)
            var row = samples.row()
            row.project = "p"
            try await store.add([row])
            #expect(try await store.row(row.id, project: "p") == row)
            try database.close()
        }
    }

    @Test func `a batch that fails leaves nothing`() async throws {
        try await Self.run { database, store in
            var samples = SampleRequests(seed: 8)
            let rows = (0..<50).map { _ in samples.row() }
            try await database.write { try $0.execute(sql: "ALTER TABLE request_index RENAME TO hidden") }
            await #expect(throws: DatabaseError.self) { try await store.add(rows) }
            try await database.write { try $0.execute(sql: "ALTER TABLE hidden RENAME TO request_index") }
            for project in SampleRequests.projects {
                #expect(try await store.page(RequestFilter(), after: nil, limit: 100, project: project).rows.isEmpty)
            }
            try await store.add(rows)
            for row in rows where rows.last(where: { $0.id == row.id }) == row {
                #expect(try await store.row(row.id, project: row.project) == row)
            }
        }
    }
}

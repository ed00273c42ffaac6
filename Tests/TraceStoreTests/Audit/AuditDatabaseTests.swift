import Common
import FoundationEssentials
import GRDB
import RequestLog
import TestSupport
import Testing

@testable import TraceStore

/// The audit log in SQLite does what any must; what it has, nothing changes.
@Suite(.timeLimit(.minutes(5)))
struct AuditDatabaseTests {
    private static let start = SampleRequests.start
    private static let day: UInt64 = 86_400_000

    private static func run(
        looks: Int = AuditDatabase.pageLooks, _ body: (TraceDatabase, AuditDatabase) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            let requests = RequestDatabase(database: database, pageTime: nil)
            try await body(database, AuditDatabase(database: requests, looks: looks))
            try database.close()
        }
    }

    private static func event(_ number: Int, at time: Timestamp, project: String? = nil) -> AuditEvent {
        AuditEvent(
            id: InsertionID(milliseconds: time.milliseconds, counter: 0, randomBits: UInt64(number)), kind: .keyUsed,
            actor: "a",
            project: project, subject: "\(number)")
    }

    private static func count(_ database: TraceDatabase) async throws -> Int {
        try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM audit") ?? 0 }
    }

    /// With few looks a page, most pages end before they are full.
    @Test(arguments: [(1, 20_000, 60), (2, 50, 30), (3, 1, 6)] as [(UInt64, Int, Int)])
    func `it conforms`(seed: UInt64, looks: Int, rounds: Int) async throws {
        try await Self.run(looks: looks) { _, store in
            var conformance = AuditLogConformance(store: store, seed: seed)
            try await conformance.add(rows: 300)
            try await conformance.checkPages(rounds: rounds)
            try await conformance.checkPagesWhileRowsAreAdded()
            try await conformance.checkPages(rounds: rounds)
        }
    }

    @Test func `the model conforms to itself`() async throws {
        var conformance = AuditLogConformance(store: MemoryAuditLog(), seed: 5)
        try await conformance.add(rows: 200)
        try await conformance.checkPages(rounds: 20)
    }

    /// Whoever has the file open, with the sqlite3 program too.
    @Test(arguments: [
        "UPDATE audit SET subject = 'x'", "UPDATE audit SET id = x'00' WHERE subject = '1'", "DELETE FROM audit",
        "DELETE FROM audit WHERE subject = '1'",
    ])
    func `a row is neither changed nor deleted`(statement: String) async throws {
        try await Self.run { database, store in
            let events = (0..<3).map { Self.event($0, at: Self.start + UInt64($0)) }
            try await store.add(events)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { try $0.execute(sql: statement) }
            }
            #expect(error?.message?.hasPrefix("audit rows are ") == true)
            let page = try await store.page(
                AuditFilter(), after: nil, limit: 9, for: .init(project: "p", isOperator: true))
            #expect(page.rows == events.reversed())
        }
    }

    @Test func `a row is not replaced`() async throws {
        try await Self.run { database, store in
            let event = Self.event(1, at: Self.start)
            try await store.add([event])
            var other = event
            (other.subject, other.project) = ("other", "p")
            try await store.add([other, event])
            try await database.write { db in
                try db.execute(
                    sql: """
                        INSERT OR REPLACE INTO audit(project, id, kind, actor, details) VALUES (0, ?, 'k', 'a', '{}')
                        """, arguments: [Data(event.id.bytes)])
            }
            let page = try await store.page(
                AuditFilter(), after: nil, limit: 9, for: .init(project: "p", isOperator: true))
            #expect(page.rows == [event])
        }
    }

    @Test func `what is too old goes`() async throws {
        try await Self.run { database, store in
            let events = (0..<1200).map { Self.event($0, at: Self.start + UInt64($0) * Self.day / 100, project: "p") }
            try await store.add(events)
            let now = Self.start + 12 * Self.day
            let limits = RetentionLimits(age: .seconds(1), bytes: 1 << 40, auditAge: .seconds(2 * 86_400))
            try await Retention(
                database: database, limits: limits, now: { now }, logger: .silent, requests: store.database,
                audits: store
            ).trim()
            let left = events.filter { $0.time >= Self.start + 10 * Self.day }
            let page = try await store.page(AuditFilter(), after: nil, limit: 1000, for: .init(project: "p"))
            #expect(page.rows == left.reversed() && left.count == 200)
            // What is left is as safe as before.
            await #expect(throws: DatabaseError.self) {
                try await database.write { try $0.execute(sql: "DELETE FROM audit") }
            }
            #expect(try await Self.count(database) == 200)
            // A row that comes again too late goes again.
            try await store.add([events[0]])
            #expect(try await Self.count(database) == 201)
            #expect(try await store.deleteOldest(before: Self.start + 10 * Self.day) == 1)
            #expect(try await store.deleteOldest(before: Self.start + 10 * Self.day) == 0)
        }
    }

    /// Where all is too much, traces and requests go first.
    @Test func `it is the last to go`() async throws {
        try await Self.run { database, store in
            let requests = store.database
            let rows = (0..<2000).map { number in
                RequestRow(
                    id: InsertionID(
                        milliseconds: (Self.start + number).milliseconds, counter: 0, randomBits: UInt64(number)),
                    project: "p", outcome: .succeeded, status: 200)
            }
            try await requests.add(rows)
            try await store.add((0..<2000).map { Self.event($0, at: Self.start + $0) })
            func trim(to bytes: Int) async throws {
                let limits = RetentionLimits(age: .seconds(1_000_000_000), bytes: bytes)
                try await Retention(
                    database: database, limits: limits, now: { Self.start }, logger: .silent,
                    requests: requests, audits: store
                ).trim()
            }
            let used = try await database.usedBytes()
            try await trim(to: used * 9 / 10)
            #expect(try await Self.count(database) == 2000)
            let first = try #require(try await requests.oldest())
            #expect(first > rows[0].time, "some requests went")
            try await trim(to: 1)
            #expect(try await Self.count(database) == 0)
            #expect(try await requests.oldest() == nil)
        }
    }

    @Test func `a file of an older version gains the table`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let old = try DatabasePool(path: path)
            try Schema.migrator.migrate(old, upTo: "2 request log")
            try old.close()
            let database = try TraceDatabase(path: path, projects: ["p"])
            let store = AuditDatabase(database: RequestDatabase(database: database, pageTime: nil))
            let event = Self.event(1, at: Self.start, project: "p")
            try await store.add([event])
            #expect(try await store.page(AuditFilter(), after: nil, limit: 1, for: .init(project: "p")).rows == [event])
            try database.close()
        }
    }
}

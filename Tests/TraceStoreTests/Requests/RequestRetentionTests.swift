import Common
import GRDB
import RequestLog
import TestSupport
import Testing

@testable import TraceStore

/// Old rows of the request log go with all that belongs to them, and what is left is whole.
@Suite(.timeLimit(.minutes(5)))
struct RequestRetentionTests {
    private static let day: UInt64 = 86_400_000
    private static let start = SampleRequests.start

    private static func rows(_ count: Int, days: Int) -> [RequestRow] {
        var samples = SampleRequests(seed: 3)
        return (0..<count).map { number in
            let time = start + UInt64(number * days) * day / UInt64(count)
            let sample = samples.row()
            var row = RequestRow(
                id: InsertionID(milliseconds: time.milliseconds, counter: 0, randomBits: UInt64(number)),
                project: ["p", "q"][number % 2], outcome: .succeeded, status: 200)
            row.metadata = [.init("number", "\(number)", from: .header)] + sample.metadata
            row.attempts = sample.attempts
            return row
        }
    }

    private static func count(_ table: String, _ database: TraceDatabase) async throws -> Int {
        try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }

    @Test func `what is too old goes whole`() async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: [])
            let store = RequestDatabase(database: database, pageTime: nil)
            let rows = Self.rows(1600, days: 8)
            for batch in stride(from: 0, to: 1600, by: 100) { try await store.add(Array(rows[batch..<(batch + 100)])) }
            let now = Self.start + 8 * Self.day
            let limits = RetentionLimits(age: .seconds(1), bytes: 1 << 40, requestAge: .seconds(2 * 86_400))
            try await Retention(database: database, limits: limits, now: { now }, logger: .silent, requests: store)
                .trim()
            let left = rows.filter { $0.time >= Self.start + 6 * Self.day }
            #expect(try await Self.count("request", database) == left.count)
            #expect(try await Self.count("request_attempt", database) == left.reduce(0) { $0 + $1.attempts.count })
            for row in left { #expect(try await store.row(row.id, project: row.project) == row) }
            // Values that only the deleted rows had are gone; those of the first day that is kept may stay.
            let numbers = try await store.metadataValues(of: "number", startingWith: "", limit: 2000, project: "p")
                .compactMap { Int($0) }
            #expect(numbers.min().map { $0 >= 1000 } == true && numbers.contains(1598))
            // The writer's memory of deleted terms is gone too.
            try await store.add(rows)
            for row in rows { #expect(try await store.row(row.id, project: row.project) == row) }
            try database.close()
        }
    }

    @Test func `what is too much goes from the oldest on`() async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: [])
            let store = RequestDatabase(database: database, pageTime: nil)
            let rows = Self.rows(6000, days: 1)
            try await store.add(rows)
            let before = try await database.usedBytes()
            let limits = RetentionLimits(age: .seconds(1_000_000_000), bytes: before / 2)
            try await Retention(
                database: database, limits: limits, now: { Self.start + Self.day },
                logger: .silent,
                requests: store
            ).trim()
            #expect(try await database.usedBytes() <= before / 2)
            let left = try await Self.count("request", database)
            #expect(left > 500 && left < 4000)
            #expect(try await store.oldest() == rows[rows.count - left].time)
            try database.close()
        }
    }
}

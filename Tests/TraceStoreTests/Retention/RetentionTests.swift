import Common
import GRDB
import TestSupport
import Testing

@testable import TraceStore

/// The oldest rows go, with all that belongs to them, and only as many as must.
@Suite(.timeLimit(.minutes(5)))
struct RetentionTests {
    private static func row(_ number: Int, created: Timestamp, bytes: Int = 10) -> Observation {
        var row = Observation()
        row.traceID = SampleSpan.traceID(number)
        row.id = SampleSpan(number).id
        row.start = Timestamp(clamping: number)
        row.tags = ["t", "n\(number)"]
        row.input = String(repeating: "x", count: bytes)
        row.created = created
        row.updated = created
        return row
    }

    private static func run(_ body: (TraceDatabase, Int64) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            try await body(database, try #require(database.number(ofProject: "p")))
            try database.close()
        }
    }

    private static func rows(_ database: TraceDatabase) async throws -> [String: Int] {
        try await database.read { db in
            var counts: [String: Int] = [:]
            for table in ["observation", "content", "tagged", "trace"] {
                counts[table] = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)")
            }
            return counts
        }
    }

    @Test func `what is too old goes whole`() async throws {
        try await Self.run { database, project in
            try await database.insert((0..<1200).map { Self.row($0, created: 1000 + $0) }, project: project)
            let retention = Retention(
                database: database, limits: RetentionLimits(age: .seconds(1), bytes: 1 << 30),
                now: { 1000 + 1000 + 1100 }, logger: .silent)
            try await retention.trim()
            #expect(try await Self.rows(database) == ["observation": 100, "content": 100, "tagged": 200, "trace": 100])
        }
    }

    @Test func `what is too much goes from the oldest on`() async throws {
        try await Self.run { database, project in
            for batch in 0..<10 {
                try await database.insert(
                    (0..<200).map { Self.row(batch * 200 + $0, created: 1, bytes: 10_000) }, project: project)
            }
            let before = try await database.usedBytes()
            let limits = RetentionLimits(age: .seconds(1_000_000), bytes: before / 2)
            try await Retention(database: database, limits: limits, now: { 1 }, logger: .silent).trim()
            #expect(try await database.usedBytes() <= before / 2)
            let left = try #require(try await Self.rows(database)["observation"])
            #expect(left >= 400 && left <= 1000)
            var query = ObservationQuery(project: project)
            query.conditions = [Condition(column: .tags, test: .anyOf(["n1999"]))]
            let reader = TraceReader(database: database)
            #expect(try await reader.count(query) == 1)
            query.conditions = [Condition(column: .tags, test: .anyOf(["n0"]))]
            #expect(try await reader.count(query) == 0)
        }
    }

    private static func score(_ number: Int, created: Timestamp, trace: Int? = nil, bytes: Int = 10) -> Score {
        var score = Score()
        (score.id, score.name, score.created) = ("score \(number)", "n", created)
        score.traceID = trace.map { SampleSpan.traceID($0) }
        score.sessionID = trace == nil ? "s" : nil
        score.comment = String(repeating: "x", count: bytes)
        return score
    }

    private static func scores(_ database: TraceDatabase) async throws -> [String] {
        try await database.read { try String.fetchAll($0, sql: "SELECT id FROM score ORDER BY number") }
    }

    @Test func `scores go with their trace or by their age`() async throws {
        try await Self.run { database, project in
            try await database.insert([Self.row(1, created: 1000), Self.row(2, created: 5000)], project: project)
            try await database.insert(
                [
                    Self.score(1, created: 4900, trace: 1), Self.score(2, created: 4900, trace: 2),
                    Self.score(3, created: 4000), Self.score(4, created: 4900), Self.score(5, created: 4900, trace: 9),
                ], project: project)
            let limits = RetentionLimits(age: .seconds(1), bytes: 1 << 30)
            try await Retention(database: database, limits: limits, now: { 5500 }, logger: .silent).trim()
            #expect(try await Self.scores(database) == ["score 2", "score 4", "score 5"])
            try await Retention(database: database, limits: limits, now: { 5901 }, logger: .silent).trim()
            #expect(try await Self.scores(database).isEmpty)
            #expect(try await Self.rows(database)["observation"] == 1)
        }
    }

    /// A trace's deletion takes none of another project's scores.
    @Test func `the scores of another project stay`() async throws {
        try await Self.run { database, project in
            try database.add(projects: ["q"])
            let other = try #require(database.number(ofProject: "q"))
            try await database.insert([Self.row(1, created: 1)], project: project)
            for number in [project, other] {
                try await database.insert([Self.score(1, created: 50, trace: 1)], project: number)
            }
            #expect(try await database.deleteOldest() == 1)
            let left = try await database.read { try Int64.fetchAll($0, sql: "SELECT project FROM score") }
            #expect(left == [other])
        }
    }

    /// Scores count among the bytes, and the oldest go, be they scores or traces.
    @Test func `too many scores go from the oldest on`() async throws {
        try await Self.run { database, project in
            for batch in 0..<10 {
                let created = Timestamp(clamping: batch)
                try await database.insert(
                    (0..<200).map { Self.score(batch * 200 + $0, created: created, bytes: 10_000) }, project: project)
                try await database.insert(
                    (0..<200).map { Self.row(batch * 200 + $0, created: created, bytes: 10_000) }, project: project)
            }
            let before = try await database.usedBytes()
            let limits = RetentionLimits(age: .seconds(1_000_000), bytes: before / 2)
            try await Retention(database: database, limits: limits, now: { 10 }, logger: .silent).trim()
            #expect(try await database.usedBytes() <= before / 2)
            let scores = try await Self.scores(database)
            let rows = try #require(try await Self.rows(database)["observation"])
            #expect(scores.last == "score 1999" && scores.count < 2000 && rows < 2000 && rows > 0)
            #expect(try await Self.rows(database)["trace"] == rows)
        }
    }

    @Test func `a trace stays as long as one of its spans`() async throws {
        try await Self.run { database, project in
            var child = Self.row(1, created: 5000)
            child.id = "00000000000000c1"
            try await database.insert([Self.row(1, created: 1), child], project: project)
            #expect(try await database.deleteOldest(before: 100) == 1)
            #expect(try await Self.rows(database) == ["observation": 1, "content": 1, "tagged": 2, "trace": 1])
            #expect(try await database.deleteOldest() == 1)
            #expect(try await Self.rows(database) == ["observation": 0, "content": 0, "tagged": 0, "trace": 0])
            #expect(try await database.deleteOldest() == 0)
        }
    }
}

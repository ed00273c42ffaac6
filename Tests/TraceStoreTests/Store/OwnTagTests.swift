import Common
import GRDB
import TestSupport
import Testing

@testable import TraceStore

/// The tag that names a row's own trace is found like any other, though the index has no entry for it.
@Suite(.timeLimit(.minutes(5)))
struct OwnTagTests {
    /// The tag that names the trace of a number.
    private static func own(_ number: Int) -> String {
        let digits = Array(SampleSpan.traceID(number))
        return "insertion_id:"
            + [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]].map { String($0) }
            .joined(separator: "-")
    }

    /// In another case it is a tag like any other.
    private static func shouted(_ number: Int) -> String {
        own(number).replacing(
            SampleSpan.traceID(number).prefix(8), with: SampleSpan.traceID(number).prefix(8).uppercased())
    }

    private static let spans = [
        SampleSpan(1, tags: [own(1), "all"]),
        // Nothing but the tag makes a row one that has it.
        SampleSpan(2, tags: ["all"]), SampleSpan(3, tags: ["all", own(1)]),
        SampleSpan(4, tags: [own(4), own(1), "all"]),
        SampleSpan(5, tags: ["x\"" + own(5), own(5) + "\u{0}", own(5) + "0", "all"]),
        SampleSpan(6, tags: [shouted(6), "all"]), SampleSpan(7, tags: [own(7), "all"]),
    ]

    private static let cases: [(filter: [String], numbers: [Int])] = [
        ([tags("any of", own(1))], [4, 3, 1]), ([tags("any of", own(2))], []), ([tags("any of", own(5))], []),
        ([tags("any of", own(6))], []), ([tags("any of", shouted(6))], [6]), ([tags("any of", own(7))], [7]),
        ([tags("any of", own(4), own(7), own(2), "unused")], [7, 4]), ([tags("all of", own(4), own(1))], [4]),
        ([tags("all of", own(1), own(4))], [4]), ([tags("all of", "all", own(7))], [7]),
        ([tags("all of", own(7), "all")], [7]), ([tags("none of", own(1))], [7, 6, 5, 2]),
        ([tags("none of", own(7), own(1), own(6))], [6, 5, 2]),
        ([tags("any of", "all"), tags("none of", own(4))], [7, 6, 5, 3, 2, 1]),
        ([tags("any of", own(1)), tags("any of", own(4), own(3))], [4]),
    ]

    @Test func `it is found like any other`() async throws {
        try await LiveStore.run { store in
            #expect(try await store.export(Self.spans).status == 200)
            // Of another project, and so of none of these answers.
            #expect(try await store.export([SampleSpan(1, tags: [Self.own(1)])], project: "other").status == 200)
            try await Self.check(store)
        }
    }

    /// A file of version 0.1.0: with smaller pages, and with entries in the index for such tags too.
    @Test func `a file of the version before is read on`() async throws {
        try await withTemporaryFolder { folder in
            let old = try DatabaseQueue(path: folder + "/traces.sqlite")
            try Schema.migrator.migrate(old)
            try old.close()
            let written = try await LiveStore.run(LiveStore.Plan(folder: folder)) { store in
                try await store.export(Self.spans).status
            }
            #expect(written == 200)
            let file = try DatabaseQueue(path: folder + "/traces.sqlite")
            let pageBytes = try await file.write { db in
                let project = try #require(try Int64.fetchOne(db, sql: "SELECT id FROM project WHERE name = 'main'"))
                for number in [1, 4, 7] {
                    try db.execute(
                        sql: "INSERT INTO tagged SELECT ?, start, id, trace FROM observation WHERE traceId = ?",
                        arguments: [TagHash.of(Self.own(number), project: project), SampleSpan.traceID(number)])
                }
                return try Int.fetchOne(db, sql: "PRAGMA page_size")
            }
            #expect(pageBytes == 4096)
            try file.close()
            try await LiveStore.run(LiveStore.Plan(folder: folder)) { store in
                try await Self.check(store)
                // A row that is replaced loses its old entry.
                #expect(try await store.export([SampleSpan(7, tags: ["all"])]).status == 200)
                #expect(try await store.observations(filter(tags("any of", Self.own(7)))).rows.isEmpty)
            }
        }
    }

    private static func check(_ store: LiveStore) async throws {
        for (conditions, numbers) in cases {
            let query = "filter=" + PercentEncoding.segment("[\(conditions.joined(separator: ","))]")
            #expect(try await store.observations(query).numbers == numbers, "\(conditions)")
            #expect(try await store.traces(query).numbers == numbers, "\(conditions)")
            let counted = try await store.count("[\(conditions.joined(separator: ","))]")
            #expect(counted == #"{"data":[{"count_count":"\#(numbers.count)"}]}"#, "\(conditions)")
        }
        // Page by page, and within a window of times.
        let query = filter(tags("any of", own(1)))
        let first = try await store.observations(query + "&limit=2")
        #expect(first.numbers == [4, 3])
        let rest = try await store.observations(query + "&limit=2&cursor=" + (first.cursor ?? ""))
        #expect(rest.numbers == [1] && rest.cursor == nil)
        #expect(
            try await store.observations(query + "&toStartTime=2026-11-22T12:00:04Z").numbers == [3, 1],
            "its start is before that time")
        #expect(try await store.traces("tags=" + own(1)).numbers == [4, 3, 1])
    }

    @Test func `the index has no entry for it`() async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            defer { try? database.close() }
            let project = try #require(database.number(ofProject: "p"))
            var row = Observation()
            row.traceID = SampleSpan.traceID(1)
            row.id = SampleSpan(1).id
            row.tags = ["t", Self.own(1), Self.own(2)]
            try await database.insert([row], project: project)
            let expected = Set(["t", Self.own(2)].map { TagHash.of($0, project: project) })
            #expect(try await Self.entries(of: database) == expected)
            #expect(try await database.deleteOldest() == 1)
            #expect(try await Self.entries(of: database).isEmpty)
        }
    }

    private static func entries(of database: TraceDatabase) async throws -> Set<Int64> {
        try await database.read { db in try Int64.fetchSet(db, sql: "SELECT tag FROM tagged") }
    }

    /// A usual row's content has more than half of the 4 KiB that SQLite's pages have by themselves.
    @Test func `a new file has pages that hold several rows`() async throws {
        try await withTemporaryFolder { folder in
            let database = try TraceDatabase(path: folder + "/traces.sqlite", projects: ["p"])
            defer { try? database.close() }
            let bytes = try await database.read { db in try Int.fetchOne(db, sql: "PRAGMA page_size") }
            #expect(bytes == 8192)
        }
    }
}

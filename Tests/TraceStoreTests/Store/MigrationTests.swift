import Common
import GRDB
import Testing

@testable import TraceStore

/// A file that an older version wrote opens, with all that is in it.
@Suite(.timeLimit(.minutes(5)))
struct MigrationTests {
    /// The versions of the schema that files may have.
    private static let versions = ["1 observations, traces, tags", "2 request log", "3 audit log", "4 scores"]

    @Test(arguments: versions) func `an older file opens`(version: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let old = try DatabaseQueue(path: path)
            try Schema.migrator.migrate(old, upTo: version)
            try await old.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO project(id, name) VALUES (1, 'p');
                        INSERT INTO trace(id, project, traceId, timestamp, environment, public, created, updated)
                            VALUES (1, 1, 't', 5, 'default', 0, 5, 5);
                        INSERT INTO observation(id, project, traceId, spanId, start, trace, root, type, level,
                            environment, public, created, updated)
                            VALUES (1, 1, 't', 's', 5, 1, 1, 'SPAN', 'DEFAULT', 'default', 0, 5, 5);
                        """)
            }
            try old.close()
            let database = try TraceDatabase(path: path, projects: ["p", "q"])
            let project = try #require(database.number(ofProject: "p"))
            var score = Score()
            (score.id, score.name, score.traceID) = ("s", "n", "t")
            try await database.insert([score], project: project)
            let reader = TraceReader(database: database)
            let request = try ScoreRequest(QueryParameters("traceId=t"), project: project, api: .v2)
            let page = String(decoding: try await reader.scores(request, project: "p"), as: UTF8.self)
            #expect(page.contains(#""totalItems":1"#) && page.contains(#""environment":"default""#))
            #expect(try await reader.count(ObservationQuery(project: project)) == 1)
            try database.close()
            #expect(try TraceDatabase(path: path, projects: ["p"]).number(ofProject: "p") == project)
        }
    }

    @Test func `the versions are those`() throws { #expect(Schema.migrator.migrations == Self.versions) }
}

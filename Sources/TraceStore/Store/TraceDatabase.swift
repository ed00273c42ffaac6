internal import Common
internal import GRDB
internal import NIOConcurrencyHelpers

/// The file of the store: one writer, many readers (SQLite's write-ahead log). What `insert` has returned from outlives the process; a machine that loses
/// its power may lose what it took in the last moments, as the log is synced at checkpoints only.
final class TraceDatabase: Sendable {
    /// KiB of pages that the writer keeps, and each reader. What they do not have comes from the system's own cache.
    private static let writerCacheKiB = 32 << 10
    private static let readerCacheKiB = 8 << 10
    /// What the write-ahead log is cut back to at a checkpoint.
    private static let logBytes = 64 << 20
    /// How many pages are read at a time. Each holds a page of the answer in memory.
    private static let readers = 4

    let pool: DatabasePool
    let file: StoreFile
    /// The projects' numbers in the tables.
    private let numbers: NIOLockedValueBox<[UTF8Text: Int64]>

    /// Opens the file, or makes it.
    /// - Parameters:
    ///   - path: of the file. Beside it SQLite keeps its log, `-wal` and `-shm`.
    ///   - projects: the names of all that have keys.
    init(path: String, projects: some Collection<String>) throws {
        var configuration = GRDB.Configuration()
        configuration.maximumReaderCount = Self.readers
        configuration.prepareDatabase { db in
            db.add(function: MetadataMember.function)
            guard !db.configuration.readonly else { return try db.execute(sql: "PRAGMA cache_size = -\(Self.readerCacheKiB)") }
            try db.execute(
                sql: """
                    PRAGMA cache_size = -\(Self.writerCacheKiB); PRAGMA journal_size_limit = \(Self.logBytes); PRAGMA synchronous = NORMAL
                    """)
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        try Schema.migrator.migrate(pool)
        numbers = NIOLockedValueBox(try Self.number(projects, in: pool))
        // Once something is written the log is there.
        file = StoreFile(path: path)
    }

    /// The number of a project in the tables.
    func number(ofProject name: String) -> Int64? { numbers.withLockedValue { $0[name] } }

    /// Gives numbers to projects that have none yet.
    func add(projects: some Collection<String>) throws {
        let known = try Self.number(projects, in: pool)
        numbers.withLockedValue { $0.merge(known) { _, new in new } }
    }

    private static func number(_ projects: some Collection<String>, in pool: DatabasePool) throws -> [UTF8Text: Int64] {
        try pool.write { db in
            var numbers: [UTF8Text: Int64] = [:]
            for name in projects {
                try db.execute(sql: "INSERT INTO project(name) VALUES (\(WholeText.placeholder)) ON CONFLICT DO NOTHING", arguments: [name.whole])
                numbers[name] = try Int64.fetchOne(db, sql: "SELECT id FROM project WHERE name = \(WholeText.placeholder)", arguments: [name.whole])
            }
            return numbers
        }
    }

    func close() throws { try pool.close() }
}

internal import Common
internal import GRDB
internal import NIOConcurrencyHelpers

/// The file of the store: one writer, many readers (SQLite's write-ahead log). Rows that `insert` has returned from
/// outlive the process; a machine that loses its power may lose what it took in the last moments, as the log is synced
/// at checkpoints only.
final class TraceDatabase: Sendable {
    /// KiB of pages that the writer keeps, and each reader. Other pages come from the system's own cache.
    private static let writerCacheKiB = 32 << 10
    private static let readerCacheKiB = 8 << 10
    /// The size to which the write-ahead log is cut back at a checkpoint.
    private static let logBytes = 64 << 20
    /// Of a page of a new file; a file that is there keeps what it has. A usual row's content has more than half of 4
    /// KiB, and would have a page of its own.
    private static let pageBytes = 8 << 10
    /// The number of pages that are read at a time. Each holds a page of the answer in memory.
    private static let readers = 4

    /// The file under its name, and the connections to it.
    struct Opened {
        let pool: DatabasePool
        let file: StoreFile

        init(path: String) throws {
            pool = try DatabasePool(path: path, configuration: TraceDatabase.configuration)
            try Schema.migrator.migrate(pool)
            // The migrations have written something, so the log is there.
            file = StoreFile(path: path.resolvingLinks)
        }
    }

    /// Of the file itself, where the name that was given is a symbolic link.
    let path: String
    /// Nil while a file that was lost is written again.
    let opened: NIOLockedValueBox<Opened?>
    /// The projects' numbers in the tables.
    private let numbers: NIOLockedValueBox<[UTF8Text: Int64]>

    /// Opens the file, or makes it.
    /// - Parameters:
    ///   - path: of the file. Beside it SQLite keeps its log, `-wal` and `-shm`.
    ///   - projects: the names of all that have keys.
    init(path: String, projects: some Collection<String>) throws {
        let opened = try Opened(path: path)
        self.path = opened.pool.path.resolvingLinks
        self.opened = NIOLockedValueBox(opened)
        numbers = NIOLockedValueBox(try opened.pool.write { try Self.number(projects, $0) })
    }

    private static var configuration: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.maximumReaderCount = readers
        configuration.prepareDatabase { db in
            db.add(function: MetadataMember.function)
            db.add(function: OwnTag.function)
            guard !db.configuration.readonly else {
                return try db.execute(sql: "PRAGMA cache_size = -\(readerCacheKiB)")
            }
            try db.execute(
                sql: """
                    PRAGMA page_size = \(pageBytes); PRAGMA cache_size = -\(writerCacheKiB); PRAGMA journal_size_limit = \(logBytes); PRAGMA synchronous = NORMAL
                    """)
        }
        return configuration
    }

    /// The relation of the file to its name.
    var standing: StoreFile.Standing { opened.withLockedValue { $0?.file.standing } ?? .gone }

    /// Reads on a connection of its own.
    /// - Throws: `StoreFileGone` while a lost file is written again; what SQLite says.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        guard let pool = opened.withLockedValue({ $0?.pool }) else { throw StoreFileGone() }
        return try await pool.read(body)
    }

    /// Writes in one transaction, into the file that has the name, and no longer into one that was given up.
    /// - Throws: `StoreFileGone` while a lost file is written again; what SQLite says.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        guard let pool = opened.withLockedValue({ $0?.pool }) else { throw StoreFileGone() }
        return try await pool.write { [opened] db in
            guard opened.withLockedValue({ $0?.pool === pool }) else { throw StoreFileGone() }
            return try body(db)
        }
    }

    /// The number of a project in the tables.
    func number(ofProject name: String) -> Int64? { numbers.withLockedValue { $0[name] } }

    /// Gives numbers to projects that have none yet.
    func add(projects: some Collection<String>) throws {
        guard let pool = opened.withLockedValue({ $0?.pool }) else { throw StoreFileGone() }
        let known = try pool.write { try Self.number(projects, $0) }
        numbers.withLockedValue { $0.merge(known) { _, new in new } }
    }

    private static func number(_ projects: some Collection<String>, _ db: Database) throws -> [UTF8Text: Int64] {
        var numbers: [UTF8Text: Int64] = [:]
        for name in projects {
            try db.execute(
                sql: "INSERT INTO project(name) VALUES (\(WholeText.placeholder)) ON CONFLICT DO NOTHING",
                arguments: [name.whole])
            numbers[name] = try Int64.fetchOne(
                db, sql: "SELECT id FROM project WHERE name = \(WholeText.placeholder)", arguments: [name.whole])
        }
        return numbers
    }

    func close() throws { try opened.withLockedValue { $0?.pool }?.close() }
}

internal import Common
internal import GRDB
internal import NIOConcurrencyHelpers
internal import RequestLog

/// The request log in the trace store's file.
struct RequestDatabase: RequestLogStore {
    /// The work of one page, counted in rows that lie one after the other: about a tenth of a second.
    static let pageLooks = 100_000
    /// The time behind which a page looks no further, however slow the disk is.
    static let pageTime = Duration.milliseconds(120)

    let database: TraceDatabase
    private let looks: Int
    private let pageTime: Duration?
    private let shelf = NIOLockedValueBox(Shelf())

    /// The writer's numbers between two transactions. Numbers that a transaction has learnt count once it is committed,
    /// and only if no terms were deleted meanwhile.
    private struct Shelf {
        private var book = TermBook()
        private var edition = 0

        mutating func take() -> (TermBook, edition: Int) {
            // Not held here as well, it is changed in place.
            defer { book = TermBook() }
            return (book, edition)
        }

        mutating func put(_ learnt: TermBook, _ edition: Int) {
            if edition == self.edition { book = learnt }
        }

        mutating func forget() {
            book = TermBook()
            edition += 1
        }
    }

    /// - Parameters:
    ///   - looks: the amount that one page looks at; for tests.
    ///   - pageTime: nil: a page takes its time; for tests, which share their machine.
    init(database: TraceDatabase, looks: Int = Self.pageLooks, pageTime: Duration? = Self.pageTime) {
        self.database = database
        self.looks = looks
        self.pageTime = pageTime
    }

    func add(_ rows: [RequestRow]) async throws {
        guard !rows.isEmpty else { return }
        let (learnt, edition) = try await write { [shelf] db in
            let (book, edition) = shelf.withLockedValue { $0.take() }
            var writer = try RequestWriter(db, book: book)
            for row in rows { try writer.write(row) }
            return (try writer.finish(), edition)
        }
        shelf.withLockedValue { $0.put(learnt, edition) }
    }

    func page(
        _ filter: RequestFilter, after cursor: PageCursor?, limit: Int, project: String
    ) async throws -> RequestPage {
        let (looks, pageTime) = (looks, pageTime)
        return try await read { db in
            let end = cursor.map { Int64(clamping: $0.place) } ?? .max
            guard let number = try TermBook.number(ofKnownProject: project, db),
                var scan = try RequestScan(filter, before: end, project: number, db)
            else { return RequestPage(rows: [], next: nil) }
            var found: [RequestRow] = []
            let budget = RequestScan.Budget(looks: looks, end: pageTime.map { .now + $0 })
            let last = try scan.page(within: budget) { rows, texts in
                // One more tells whether there are further rows.
                guard found.count < limit else { return .stop }
                found.append(try RequestRows.row(rows, project: project, texts: &texts, in: db))
                return .on
            }
            return RequestPage(rows: found, next: last.map { PageCursor(place: UInt64(clamping: $0)) })
        }
    }

    func row(_ id: InsertionID, project: String) async throws -> RequestRow? {
        try await read { db in
            guard let number = try TermBook.number(ofKnownProject: project, db) else { return nil }
            let rows = StatementRows(
                try db.makeStatement(
                    sql: "SELECT \(RequestRows.Column.list) FROM request WHERE project = ? AND place = ?"))
            var texts = TermTexts()
            var place = RequestPlace.first(of: id)
            while true {
                rows.restart(number, place)
                guard try rows.next() else { return nil }
                var row = try RequestRows.row(rows, project: project, texts: &texts, in: db)
                if row.id == id {
                    row.attempts = try RequestRows.attempts(place: place, project: number, db)
                    return row
                }
                place += 1
            }
        }
    }

    func metrics(_ query: MetricsQuery, project: String) async throws -> MetricsResult {
        let filters = try await read { db in
            try TermBook.number(ofKnownProject: project, db).map { number in
                try RequestScan.halves(of: query.filter, project: number, db)
            } ?? []
        }
        // Each on a connection and a processor of its own.
        async let newer = filters.count > 1 ? part(of: query, filters[1], project: project) : nil
        guard let first = filters.first, var chart = try await part(of: query, first, project: project) else {
            return await MetricsTable(query).result(names: [:])
        }
        if let newer = try await newer { try chart.append(newer) }
        let names = try await read { [chart] db in try chart.names(db) }
        // Not on a loop that passes answers on: it takes tens of milliseconds.
        return await withTaskExecutorPreference(globalConcurrentExecutor) { [chart] in await chart.result(names) }
    }

    private func part(
        of query: MetricsQuery, _ filter: RequestFilter, project: String
    ) async throws -> RequestChart? {
        try await read { db in try RequestChart.part(of: query, filter, project: project, db) }
    }

    func metadataKeys(startingWith start: String, limit: Int, project: String) async throws -> [String] {
        try await read { db in
            guard let number = try TermBook.number(ofKnownProject: project, db) else { return [] }
            return try Self.values(of: TermField.metadataKey, from: start, limit: limit, project: number, in: db)
        }
    }

    func metadataValues(
        of key: String, startingWith start: String, limit: Int, project: String
    ) async throws -> [String] {
        try await read { db in
            guard let number = try TermBook.number(ofKnownProject: project, db),
                let field = try RowTest.number(of: .metadata(UTF8Text(key)), project: number, db)
            else { return [] }
            return try Self.values(of: field, from: start, limit: limit, project: number, in: db)
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await database.read(body) } catch is StoreFileGone { throw GatewayError.requestLogAway }
    }

    /// Writes in one transaction.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await database.write(body) } catch is StoreFileGone { throw GatewayError.requestLogAway }
    }

    private static func values(
        of field: UInt32, from start: String, limit: Int, project: Int64, in db: Database
    ) throws -> [String] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT value FROM request_term
                WHERE project = ? AND field = ? AND value >= \(WholeText.placeholder) ORDER BY value LIMIT ?
                """)
        let texts = try WholeText.fetchAll(statement, arguments: [project, Int64(field), start.whole, limit])
        return texts.lazy.map(\.text).prefix { $0.hasPrefix(start) }.map { $0 }
    }

    /// Forgets the numbers of terms. Called within the transaction that deletes some.
    func forgetTerms() { shelf.withLockedValue { $0.forget() } }
}

extension GatewayError {
    /// The store's file was lost, which `StoreFileWatch` mends within seconds.
    fileprivate static var requestLogAway: Self {
        GatewayError(
            status: 503, type: "server_error", code: "request_log_unavailable",
            message:
                "The file of the request log was deleted, moved or replaced, and is being restored. Ask again soon.",
            retryAfter: 5, shouldRetry: true)
    }
}

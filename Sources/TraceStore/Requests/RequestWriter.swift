internal import Common
internal import GRDB
internal import RequestLog

/// Writes the request rows of one transaction.
struct RequestWriter {
    private let db: Database
    private var book: TermBook
    private let insertRow, readID, addAttempt: Statement
    private var values = StatementValues()
    /// The entries of the index, which are written in its order at the end.
    private var entries: [(term: UInt32, place: Int64)] = []

    private static let columns = [
        "project", "place", "flags", "status", "latency", "queueWait", "firstToken", "interToken", "input", "output",
        "cost", "retries", "cached", "reasoning", "requestBytes", "responseBytes", "counter", "random",
    ]

    init(_ db: Database, book: TermBook) throws {
        self.db = db
        self.book = book
        let placeholders = Self.columns.map { _ in "?" }.joined(separator: ", ")
        insertRow = try db.cachedStatement(
            sql: """
                INSERT INTO request(\(Self.columns.joined(separator: ", ")), terms)
                VALUES (\(placeholders), CAST(? AS BLOB)) ON CONFLICT DO NOTHING
                """)
        readID = try db.cachedStatement(
            sql: "SELECT counter, random FROM request WHERE project = ? AND place = ?")
        addAttempt = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO request_attempt(project, place, number, model, failure, began, ended)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
    }

    mutating func write(_ row: RequestRow) throws {
        let project = try book.number(ofProject: row.project, db)
        let terms = try terms(of: row, project: project)
        var place = RequestPlace.first(of: row.id)
        while try !insert(row, terms, project: project, place: place) {
            if try id(at: place, project: project).map({ $0 == row.id }) ?? true {
                try flush()
                try RequestRows.delete(place: place, project: project, db)
            } else {
                place += 1
            }
        }
        TermList.forEachTerm(in: terms.bytes) { entries.append(($0, place)) }
        for attempt in row.attempts {
            values.removeAll()
            for number in [project, place, Int64(attempt.number)] { values.add(number) }
            values.add(attempt.model)
            values.add(attempt.failure)
            for time in [attempt.began, attempt.ended] { values.add(time) }
            try values.execute(addAttempt)
        }
    }

    /// Writes what is left.
    /// - Returns: the numbers that are known from now on.
    mutating func finish() throws -> TermBook {
        try flush()
        return book
    }

    /// Neighbours in the index are written one after the other: a batch has most terms many times.
    private mutating func flush() throws {
        entries.sort { ($0.term, $0.place) < ($1.term, $1.place) }
        let statement = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO request_index(term, place) VALUES (?, ?)")
        for entry in entries {
            values.removeAll()
            values.add(Int64(entry.term))
            values.add(entry.place)
            try values.execute(statement)
        }
        entries.removeAll(keepingCapacity: true)
    }

    /// - Returns: whether the place was free.
    private mutating func insert(
        _ row: RequestRow, _ terms: TermList, project: Int64, place: Int64
    ) throws -> Bool {
        values.removeAll()
        for number in [project, place, RequestFlags(row).rawValue, Int64(row.status), Int64(clamping: row.latency)] {
            values.add(number)
        }
        for time in [row.queueWait, row.timeToFirstToken] { values.add(time.map { Int64(clamping: $0) }) }
        values.add(row.interTokenLatency)
        values.add(row.tokens.input.map { Int64($0) })
        values.add(row.tokens.output.map { Int64($0) })
        values.add(row.cost)
        values.add(Int64(row.retries))
        values.add(row.tokens.cached.map { Int64($0) })
        values.add(row.tokens.reasoning.map { Int64($0) })
        for number in [Int64(row.requestBytes), Int64(row.responseBytes), Int64(row.id.counter)] { values.add(number) }
        values.add(Int64(bitPattern: row.id.randomBits))
        values.add(bytes: terms.bytes)
        try values.execute(insertRow)
        return db.changesCount > 0
    }

    private func id(at place: Int64, project: Int64) throws -> InsertionID? {
        guard let row = try Row.fetchOne(readID, arguments: [project, place]) else { return nil }
        return InsertionID(
            milliseconds: RequestPlace.time(of: place).milliseconds, counter: UInt64(bitPattern: row[0] as Int64),
            randomBits: UInt64(bitPattern: row[1] as Int64))
    }

    private mutating func terms(of row: RequestRow, project: Int64) throws -> TermList {
        let day = RequestPlace.day(of: RequestPlace.first(of: row.id))
        var list = TermList()
        for known in RequestField.Known.allCases {
            let field = TermField.of(known)
            let texts = known == .team ? row.teams : known == .rule ? row.rules : row.values(of: .known(known))
            for text in texts {
                let term = try book.number(of: text, field: field, project: project, day: day, db)
                list.append(field: field, term: term)
            }
        }
        for entry in row.metadata {
            let key = try book.number(
                of: entry.key, field: TermField.metadataKey, project: project, day: day, db)
            let field = TermField.ofValues(forKey: key)
            let term = try book.number(of: entry.value, field: field, project: project, day: day, db)
            list.append(field: field, term: term, origin: entry.origin)
        }
        return list
    }
}

/// The properties of a row that are true or not.
struct RequestFlags: OptionSet {
    let rawValue: Int64

    static let stream = RequestFlags(rawValue: 1)
    static let error = RequestFlags(rawValue: 2)
    static let limitHit = RequestFlags(rawValue: 4)

    init(rawValue: Int64) { self.rawValue = rawValue }

    init(_ row: RequestRow) {
        self = []
        if row.isStream { insert(.stream) }
        if row.isError { insert(.error) }
        if row.isLimitHit { insert(.limitHit) }
    }
}

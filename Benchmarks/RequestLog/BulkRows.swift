internal import Common
internal import GRDB
internal import GRDBSQLite

/// Fills an empty request log with made-up rows, far faster than calls come in: each table in its own order. It writes
/// what `RequestSchema`, `AuditSchema` and `TermList` of the TraceStore target define.
struct BulkRows {
    /// Fields by their numbers there, with how many values each has. Those of the outcome and metadata keys follow.
    private static let fields: [(field: UInt32, name: String, values: Int)] = [
        (4, "finish", 3), (5, "model", 20), (6, "asked", 20), (7, "provider", 5), (10, "user", 500),
        (13, "rollout", 2000), (14, "invocation", 200), (15, "experiment", 50), (16, "run", 2000), (17, "row", 1000),
        (18, "/path", 2),
    ]
    /// How many values each metadata key has. The first is an environment, the last a customer.
    static let metadata = [3, 2, 4, 5, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 1000, 100_000]
    private static let firstMetadataField: UInt32 = 64
    /// Keys that not every row has, with how many rows of a thousand have them.
    private static let partial = [3: 999, 16: 1, 17: 500]

    /// The ends of calls, with how many of a thousand rows have each.
    private struct End {
        var share: Int
        var outcome: String
        var status: Int
        var error: String?
        /// As `RequestFlags` says it.
        var flags: Int64 = 0
    }

    private static let ends = [
        End(share: 970, outcome: "succeeded", status: 200),
        End(share: 15, outcome: "failed", status: 502, error: "provider_error", flags: 2),
        End(share: 10, outcome: "refused", status: 429, error: "rate_limit_exceeded", flags: 6),
        End(share: 3, outcome: "cancelled", status: 410),
        End(share: 2, outcome: "failed", status: 404, error: "model_not_found", flags: 2),
    ]

    /// A property of rows: its terms stand one after the other.
    private struct Column {
        var field: UInt32
        var firstTerm: UInt32
        var values: Int
        /// The value that a row has; nil: it has none.
        var value: @Sendable (Int) -> Int?
    }

    let db: Database
    let project: String
    let rows: Int
    /// Rows of the last day.
    let lastDay: Int
    /// The end of the last day, in milliseconds since 1970.
    let end: UInt64
    let audits: Int

    /// The bits of a row's id that order the rows of one millisecond: 12 that count, and 8 of the others.
    private static func idBits(_ row: Int) -> (counter: UInt64, random: UInt64) {
        (UInt64(row) & 0xFFF, UInt64(row) >> 12 & 0xFF)
    }

    /// The place of a row: the last day is as dense as it is said, the 29 days before are even.
    private func place(_ row: Int) -> Int64 {
        let day: UInt64 = 86_400_000
        let before = rows - lastDay
        let time =
            row < before
            ? end - 30 * day + UInt64(row) * (29 * day) / UInt64(max(before, 1))
            : end - day + UInt64(row - before) * day / UInt64(max(lastDay, 1))
        let (counter, random) = Self.idBits(row)
        return Int64(time << 20 | counter << 8 | random)
    }

    /// A number of a row that stays the same from run to run, evenly spread over 0..<1.
    private static func unit(_ row: Int, _ column: Int) -> Double {
        var mixed = UInt64(truncatingIfNeeded: row) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(column) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }

    /// The value of a row: small numbers are more frequent.
    private static func value(_ row: Int, _ column: Int, of values: Int) -> Int {
        let unit = unit(row, column)
        return min(Int(unit * unit * Double(values)), values - 1)
    }

    private static func end(_ row: Int) -> Int {
        var left = Int(unit(row, 96) * 1000)
        return ends.firstIndex { end in
            left -= end.share
            return left < 0
        } ?? 0
    }

    func write() throws {
        var statement = try db.makeStatement(sql: "INSERT OR IGNORE INTO project(id, name) VALUES (1, ?)")
        try statement.execute(arguments: [project])
        let columns = try writeTerms()
        try writeRows(columns)
        for column in columns { try writeIndex(column) }
        statement = try db.makeStatement(
            sql: """
                INSERT INTO request_attempt(project, place, number, model, began, ended)
                SELECT project, place, 1, 'openai/gpt-4o', place >> 20, (place >> 20) + latency FROM request
                """)
        try statement.execute()
        try writeAudits()
    }

    private func writeTerms() throws -> [Column] {
        var columns: [Column] = []
        var next: UInt32 = 1
        let day = Int64(end / 86_400_000)
        let term = try Bulk(db, "INSERT INTO request_term(id, project, field, value, day) VALUES (?, 1, ?, ?, \(day))")
        func add(field: UInt32, _ names: [String], _ value: @escaping @Sendable (Int) -> Int?) throws {
            for (number, name) in names.enumerated() {
                try term.run(Int64(next) + Int64(number), Int64(field), text: name)
            }
            columns.append(Column(field: field, firstTerm: next, values: names.count, value: value))
            next += UInt32(names.count)
        }
        try add(field: 1, Self.ends.map(\.outcome).unique) { row in
            Self.ends.map(\.outcome).unique.firstIndex(of: Self.ends[Self.end(row)].outcome)
        }
        try add(field: 2, Self.ends.map { "\($0.status)" }) { Self.end($0) }
        try add(field: 3, Self.ends.compactMap(\.error)) { row in
            Self.ends[Self.end(row)].error.flatMap { Self.ends.compactMap(\.error).firstIndex(of: $0) }
        }
        for field in Self.fields {
            let column = columns.count
            try add(field: field.field, (0..<field.values).map { "\(field.name)\($0)" }) { row in
                Self.value(row, column, of: field.values)
            }
        }
        for (key, values) in Self.metadata.enumerated() {
            let (keyTerm, column) = (next, columns.count)
            try term.run(Int64(keyTerm), 0, text: "key\(key)")
            next += 1
            let share = Double(Self.partial[key] ?? 1000) / 1000
            let names = (0..<values).map { "key\(key)-value\($0)" }
            try add(field: Self.firstMetadataField + keyTerm, names) { row in
                share < 1 && Self.unit(row, 100 + key) >= share ? nil : Self.value(row, column, of: values)
            }
        }
        return columns
    }

    private func writeRows(_ columns: [Column]) throws {
        let insert = try Bulk(
            db,
            """
            INSERT INTO request(project, place, flags, status, latency, queueWait, firstToken, interToken, input, output,
                cost, retries, terms, requestBytes, responseBytes, counter, random)
            VALUES (1, ?, ?, ?, ?, 3, ?, 12.5, ?, ?, 0.001, 0, ?, 2000, 4000, ?, ?)
            """)
        for row in 0..<rows {
            var terms: [UInt8] = []
            for column in columns {
                guard let value = column.value(row) else { continue }
                let origin: UInt32 = column.field >= Self.firstMetadataField ? 1 << 28 : 0
                let number = column.firstTerm + UInt32(value)
                withUnsafeBytes(of: (column.field | origin, number)) { terms.append(contentsOf: $0) }
            }
            let (latency, id, end) = (Self.value(row, 99, of: 60_000), Self.idBits(row), Self.ends[Self.end(row)])
            try insert.run(
                place(row), end.flags | Int64(row & 1), Int64(end.status), Int64(latency), Int64(latency / 4),
                Int64(Self.value(row, 98, of: 8000)), Int64(Self.value(row, 97, of: 900)), bytes: terms,
                Int64(id.counter), Int64(id.random << 54 | UInt64(row)))
        }
    }

    private func writeIndex(_ column: Column) throws {
        let insert = try Bulk(db, "INSERT INTO request_index(term, place) VALUES (?, ?)")
        var starts = [Int](repeating: 0, count: column.values + 1)
        for row in 0..<rows { if let value = column.value(row) { starts[value + 1] += 1 } }
        for index in 1...column.values { starts[index] += starts[index - 1] }
        var order = [UInt32](repeating: 0, count: starts[column.values])
        var nextPlace = starts
        for row in 0..<rows {
            guard let value = column.value(row) else { continue }
            order[nextPlace[value]] = UInt32(row)
            nextPlace[value] += 1
        }
        for number in 0..<column.values {
            let term = Int64(column.firstTerm) + Int64(number)
            for index in starts[number]..<starts[number + 1] { try insert.run(term, place(Int(order[index]))) }
        }
    }

    /// Audit rows, evenly over the 30 days: most tell of keys, a few of rules and dead letters.
    private func writeAudits() throws {
        let kinds = ["key.used", "key.used", "key.used", "rule.audited", "rules.reloaded", "dead_letter.requeued"]
        let ids = InsertionIDGenerator()
        let insert = try Bulk(
            db,
            """
            INSERT INTO audit(id, project, kind, actor, account, subject, details)
            VALUES (?1, 1, ?2, 'serve at host, process 1', ?3, ?4, '{"count":1}')
            """)
        let step = 30 * 86_400_000 / UInt64(max(audits, 1))
        for row in 0..<audits {
            let id = InsertionID(
                milliseconds: end - 30 * 86_400_000 + UInt64(row) * step, counter: 0, randomBits: ids.next().randomBits)
            let kind = kinds[Self.value(row, 95, of: kinds.count)]
            try insert.run(bytes: id.bytes, texts: [kind, "account\(row % 200)", "subject\(row % 5000)"])
        }
    }
}

extension [String] {
    /// Each text once, in the order of the first of its kind.
    fileprivate var unique: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}

/// A prepared statement with numbers, texts or bytes.
struct Bulk {
    private let statement: Statement

    init(_ db: Database, _ sql: String) throws { statement = try db.makeStatement(sql: sql) }

    func run(_ numbers: Int64..., text: String) throws {
        for (index, number) in numbers.enumerated() { bind(number, index + 1) }
        bind(text, numbers.count + 1)
        try step()
    }

    func run(bytes: [UInt8], texts: [String]) throws {
        for (index, text) in texts.enumerated() { bind(text, index + 2) }
        try run(bytes: bytes, at: 1)
    }

    func run(_ before: Int64..., bytes: [UInt8], _ after: Int64...) throws {
        for (index, number) in before.enumerated() { bind(number, index + 1) }
        for (index, number) in after.enumerated() { bind(number, before.count + 2 + index) }
        try run(bytes: bytes, at: before.count + 1)
    }

    func run(_ first: Int64, _ second: Int64) throws {
        bind(first, 1)
        bind(second, 2)
        try step()
    }

    private func run(bytes: [UInt8], at index: Int) throws {
        try bytes.withUnsafeBytes { bytes in
            sqlite3_bind_blob(statement.sqliteStatement, CInt(index), bytes.baseAddress, CInt(bytes.count), nil)
            try step()
        }
    }

    private func bind(_ number: Int64, _ index: Int) {
        sqlite3_bind_int64(statement.sqliteStatement, CInt(index), number)
    }

    private func bind(_ text: String, _ index: Int) {
        sqlite3_bind_text(
            statement.sqliteStatement, CInt(index), text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }

    private func step() throws {
        let code = sqlite3_step(statement.sqliteStatement)
        sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}

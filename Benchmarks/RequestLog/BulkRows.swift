internal import GRDB
internal import GRDBSQLite

/// Fills an empty request log with made-up rows, far faster than calls come in: each table in its own order. It writes
/// what `RequestSchema` and `TermList` of the TraceStore target define.
struct BulkRows {
    /// Fields by their numbers there, with how many values each has. Metadata keys follow.
    private static let fields: [(field: UInt32, name: String, values: Int)] = [
        (1, "succeeded", 1), (2, "20", 8), (4, "finish", 3), (5, "model", 20), (6, "asked", 20), (7, "provider", 5),
        (10, "user", 500), (13, "rollout", 2000), (14, "invocation", 200), (15, "experiment", 50), (16, "run", 2000),
        (17, "row", 1000), (18, "/path", 2),
    ]
    /// How many values each metadata key has. The first is an environment, the last a customer.
    static let metadata = [3, 2, 4, 5, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 1000, 100_000]
    private static let firstMetadataField: UInt32 = 64

    let db: Database
    let rows: Int
    /// Rows of the last day.
    let lastDay: Int
    /// The end of the last day, in milliseconds since 1970.
    let end: UInt64

    /// The place of a row: the last day is as dense as it is said, the 29 days before are even.
    func place(_ row: Int) -> Int64 {
        let day: UInt64 = 86_400_000
        let before = rows - lastDay
        let time =
            row < before
            ? end - 30 * day + UInt64(row) * (29 * day) / UInt64(max(before, 1))
            : end - day + UInt64(row - before) * day / UInt64(max(lastDay, 1))
        return Int64(time << 20 | UInt64(row & 0xFFFFF))
    }

    /// The value of a row: small numbers are more frequent.
    private func value(_ row: Int, _ column: Int, of values: Int) -> Int {
        var mixed = UInt64(truncatingIfNeeded: row) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(column) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        let unit = Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
        return min(Int(unit * unit * Double(values)), values - 1)
    }

    func write() throws {
        try db.execute(sql: "INSERT OR IGNORE INTO project(id, name) VALUES (1, 'p')")
        var columns: [(field: UInt32, firstTerm: UInt32, values: Int)] = []
        var next: UInt32 = 1
        let day = Int64(end / 86_400_000)
        let term = try Bulk(db, "INSERT INTO request_term(id, project, field, value, day) VALUES (?, 1, ?, ?, \(day))")
        func add(field: UInt32, _ values: Int, _ name: (Int) -> String) throws {
            for value in 0..<values { try term.run(Int64(next) + Int64(value), Int64(field), text: name(value)) }
            columns.append((field, next, values))
            next += UInt32(values)
        }
        for field in Self.fields {
            try add(field: field.field, field.values) { field.values == 1 ? field.name : "\(field.name)\($0)" }
        }
        for (key, values) in Self.metadata.enumerated() {
            let keyTerm = next
            try term.run(Int64(keyTerm), 0, text: "key\(key)")
            next += 1
            try add(field: Self.firstMetadataField + keyTerm, values) { "key\(key)-value\($0)" }
        }
        try writeRows(columns)
        try writeIndex(columns)
    }

    private func writeRows(_ columns: [(field: UInt32, firstTerm: UInt32, values: Int)]) throws {
        let insert = try Bulk(
            db,
            """
            INSERT INTO request(project, place, flags, status, latency, queueWait, firstToken, interToken, input, output,
                cost, retries, terms, requestBytes, responseBytes, counter, random)
            VALUES (1, ?, ?, 200, ?, 3, ?, 12.5, ?, ?, 0.001, 0, ?, 2000, 4000, 0, ?)
            """)
        for row in 0..<rows {
            var terms: [UInt8] = []
            for (column, field) in columns.enumerated() {
                let origin: UInt32 = field.field >= Self.firstMetadataField ? 1 << 28 : 0
                let number = field.firstTerm + UInt32(value(row, column, of: field.values))
                withUnsafeBytes(of: (field.field | origin, number)) { terms.append(contentsOf: $0) }
            }
            let latency = value(row, 99, of: 60_000)
            try insert.run(
                place(row), row % 50 == 0 ? 2 : 0, Int64(latency), Int64(latency / 4), Int64(value(row, 98, of: 8000)),
                Int64(value(row, 97, of: 900)), bytes: terms, Int64(row))
        }
    }

    private func writeIndex(_ columns: [(field: UInt32, firstTerm: UInt32, values: Int)]) throws {
        let insert = try Bulk(db, "INSERT INTO request_index(term, place) VALUES (?, ?)")
        for (column, field) in columns.enumerated() {
            var starts = [Int](repeating: 0, count: field.values + 1)
            for row in 0..<rows { starts[value(row, column, of: field.values) + 1] += 1 }
            for index in 1...field.values { starts[index] += starts[index - 1] }
            var order = [UInt32](repeating: 0, count: rows)
            var nextPlace = starts
            for row in 0..<rows {
                let number = value(row, column, of: field.values)
                order[nextPlace[number]] = UInt32(row)
                nextPlace[number] += 1
            }
            for number in 0..<field.values {
                let term = Int64(field.firstTerm) + Int64(number)
                for index in starts[number]..<starts[number + 1] { try insert.run(term, place(Int(order[index]))) }
            }
        }
    }
}

/// A prepared statement with numbers, and perhaps one text or some bytes between them.
struct Bulk {
    private let statement: Statement

    init(_ db: Database, _ sql: String) throws { statement = try db.makeStatement(sql: sql) }

    func run(_ numbers: Int64..., text: String) throws {
        for (index, number) in numbers.enumerated() { bind(number, index + 1) }
        sqlite3_bind_text(
            statement.sqliteStatement, CInt(numbers.count + 1), text, -1,
            unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        try step()
    }

    func run(_ before: Int64..., bytes: [UInt8], _ after: Int64) throws {
        for (index, number) in before.enumerated() { bind(number, index + 1) }
        bind(after, before.count + 2)
        try bytes.withUnsafeBytes { bytes in
            sqlite3_bind_blob(
                statement.sqliteStatement, CInt(before.count + 1), bytes.baseAddress, CInt(bytes.count), nil)
            try step()
        }
    }

    func run(_ first: Int64, _ second: Int64) throws {
        bind(first, 1)
        bind(second, 2)
        try step()
    }

    private func bind(_ number: Int64, _ index: Int) {
        sqlite3_bind_int64(statement.sqliteStatement, CInt(index), number)
    }

    private func step() throws {
        let code = sqlite3_step(statement.sqliteStatement)
        sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}

internal import Common
internal import GRDB
internal import GRDBSQLite

/// Values for a statement's placeholders, in their order. The texts lie in one buffer, from which SQLite takes them
/// with their lengths: none is copied by itself, and one may hold a NUL.
struct StatementValues {
    private enum Value {
        case null
        case integer(Int64)
        case real(Double)
        case text(Range<Int>)
    }

    /// Never empty, so that it has an address for an empty text too.
    private var texts: [UInt8] = [0]
    private var values: [Value] = []

    mutating func removeAll() {
        texts.removeLast(texts.count - 1)
        values.removeAll(keepingCapacity: true)
    }

    mutating func add(_ number: Int64?) { values.append(number.map(Value.integer) ?? .null) }
    mutating func add(_ time: Timestamp?) { add(time?.columnValue) }
    mutating func add(_ value: Bool) { values.append(.integer(value ? 1 : 0)) }
    mutating func add(_ number: Double?) { values.append(number.map(Value.real) ?? .null) }

    mutating func add(_ text: String?) {
        guard let text else { return values.append(.null) }
        let start = texts.count
        texts.append(contentsOf: text.utf8)
        values.append(.text(start..<texts.count))
    }

    /// Bytes, in the place of a `CAST(? AS BLOB)`.
    mutating func add(bytes: [UInt8]) {
        let start = texts.count
        texts.append(contentsOf: bytes)
        values.append(.text(start..<texts.count))
    }

    /// Executes a statement that gives no rows.
    func execute(_ statement: Statement) throws {
        let handle = statement.sqliteStatement
        let result = texts.withUnsafeBufferPointer { texts in
            for (index, value) in values.enumerated() {
                let code = Self.bind(value, to: CInt(index + 1), of: handle, texts)
                guard code == SQLITE_OK else { return code }
            }
            return sqlite3_step(handle)
        }
        sqlite3_reset(handle)
        guard result == SQLITE_DONE else {
            let message = sqlite3_errmsg(sqlite3_db_handle(handle)).map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message, sql: statement.sql)
        }
    }

    /// The texts stay where they are until the statement has been executed, and each is bound anew for the next time.
    private static func bind(
        _ value: Value, to index: CInt, of statement: SQLiteStatement?, _ texts: UnsafeBufferPointer<UInt8>
    ) -> CInt {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .real(let number): return sqlite3_bind_double(statement, index, number)
        case .text(let range):
            return UnsafeRawPointer(texts.baseAddress.map { $0 + range.lowerBound })
                .map { pointer in
                    sqlite3_bind_text64(
                        statement, index, pointer.assumingMemoryBound(to: CChar.self), UInt64(range.count), nil,
                        UInt8(SQLITE_UTF8))
                } ?? SQLITE_NOMEM
        }
    }
}

internal import GRDB
internal import GRDBSQLite

/// The rows of a statement, read where SQLite has them. A chart reads hundreds of thousands of rows, of which GRDB's
/// `Row` would make copies.
final class StatementRows {
    private let statement: Statement
    private let handle: SQLiteStatement

    /// - Parameter statement: one that nothing else reads meanwhile.
    init(_ statement: Statement) {
        self.statement = statement
        handle = statement.sqliteStatement
    }

    deinit { sqlite3_reset(handle) }

    /// Begins anew with other numbers.
    func restart(_ numbers: Int64...) {
        sqlite3_reset(handle)
        for (index, number) in numbers.enumerated() { sqlite3_bind_int64(handle, CInt(index + 1), number) }
    }

    /// Goes to the next row.
    /// - Returns: whether there is one.
    func next() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let message = sqlite3_errmsg(sqlite3_db_handle(handle)).map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
        }
    }

    func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, CInt(column)) }

    func integerOrNil(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

    func realOrNil(_ column: Int) -> Double? { isNull(column) ? nil : sqlite3_column_double(handle, CInt(column)) }

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, CInt(column)) == SQLITE_NULL }

    /// A text with all that is behind a NUL; nil for NULL.
    func text(_ column: Int) -> String? {
        WholeText(sqliteStatement: handle, index: CInt(column))?.text
    }

    /// Bytes, which stay until the next row.
    func bytes(_ column: Int) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, CInt(column))
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, CInt(column))))
    }
}

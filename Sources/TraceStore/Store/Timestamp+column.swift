internal import Common
internal import GRDB

/// An instant as a column of the tables: its milliseconds, as far as SQLite's 64 signed bits go.
extension Timestamp: DatabaseValueConvertible, StatementColumnConvertible {
    init(sqliteStatement: SQLiteStatement, index: CInt) {
        self.init(clamping: Int64(sqliteStatement: sqliteStatement, index: index))
    }

    /// The number that stands in the column.
    var columnValue: Int64 { Int64(clamping: milliseconds) }

    var databaseValue: DatabaseValue { columnValue.databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Timestamp? {
        Int64.fromDatabaseValue(value).map { Timestamp(clamping: $0) }
    }
}

internal import FoundationEssentials
internal import GRDB
internal import GRDBSQLite

/// Text as SQLite holds it, with its length. GRDB binds and reads a `String` as C text, which ends at its first NUL
/// (U+0000).
struct WholeText: DatabaseValueConvertible, StatementColumnConvertible {
    /// Stands in a statement for text that may hold a NUL: that is bound as bytes, with their number, and is text again
    /// in the table.
    static let placeholder = "CAST(? AS TEXT)"

    let text: String

    init(_ text: String) { self.text = text }

    /// Reads a column of the row at which the statement stands. A row that was copied has lost what is behind a NUL
    /// already: read from a cursor.
    init?(sqliteStatement: SQLiteStatement, index: CInt) {
        guard let bytes = sqlite3_column_text(sqliteStatement, index) else { return nil }
        let count = Int(sqlite3_column_bytes(sqliteStatement, index))
        text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    var databaseValue: DatabaseValue { text.utf8.contains(0) ? Data(text.utf8).databaseValue : text.databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> WholeText? {
        String.fromDatabaseValue(value).map(WholeText.init)
    }
}

extension Row {
    /// A column's text; nil for NULL.
    func text(_ index: Int) -> String? { (self[index] as WholeText?)?.text }
}

extension String? {
    /// The text, to be bound in the place of a ``WholeText/placeholder``.
    var whole: WholeText? { map(WholeText.init) }
}

extension String {
    /// The text, to be bound in the place of a ``WholeText/placeholder``.
    var whole: WholeText { WholeText(self) }
}

internal import Common
internal import FoundationEssentials
internal import GRDB
internal import JSON

/// The SQL function that reads a member of a metadata object as text. SQLite's own `json_extract` ends a string at its
/// first NUL, and a key as well.
enum MetadataMember {
    /// `metadata_member(object, key)`: a string's text and any other value's JSON; NULL where there is none.
    static let function = DatabaseFunction("metadata_member", argumentCount: 2, pure: true) { values in
        guard let json = String.fromDatabaseValue(values[0]), let key = String.fromDatabaseValue(values[1]),
            let object = EmbeddedJSON.scan(json),
            let member = object.member(key), member.kind != .null
        else { return nil }
        return (object.string(member) ?? String(decoding: object.bytes[member.value], as: UTF8.self)).whole
    }

    /// The expression for a member's text in a statement.
    static func text(of column: SQLFragment, key: String) -> SQLFragment {
        // The key stays bytes where it holds a NUL: as text the function would get the part before it.
        "CAST(metadata_member(" + column + SQLFragment(", ?) AS TEXT)", key.whole)
    }
}

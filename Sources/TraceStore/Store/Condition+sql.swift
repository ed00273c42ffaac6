internal import Common
internal import FoundationEssentials
internal import GRDB
internal import JSON

/// A condition that the store cannot answer.
struct UnsupportedCondition: Error, Equatable {
    /// The fault, for the client.
    var message: String
}

extension Condition {
    /// The condition on text, numbers and times, as SQL. Tags are the queries' own affair: they have an index.
    /// - Parameter column: the expression for the column.
    func fragment(_ column: SQLFragment) throws(UnsupportedCondition) -> SQLFragment {
        switch test {
        case .anyOf(let values): return column + " IN " + .list(values)
        // A row without a value is none of them, as Langfuse has it.
        case .noneOf(let values): return "(" + column + " IS NULL OR " + column + " NOT IN " + .list(values) + ")"
        case .anyNumberOf(let numbers): return column + " IN " + .list(numbers)
        case .equals(let text): return column + " = " + SQLFragment(text: text)
        case .contains(let text): return "instr(" + column + ", " + SQLFragment(text: text) + ") > 0"
        case .containsNot(let text):
            return "(" + column + " IS NULL OR instr(" + column + ", " + SQLFragment(text: text) + ") = 0)"
        // As bytes: SQLite counts the characters of a text up to its first NUL only.
        case .startsWith(let text):
            return "substr(CAST(" + column + SQLFragment(" AS BLOB), 1, ?) = ?", text.utf8.count, Data(text.utf8))
        case .endsWith(let text):
            guard !text.isEmpty else { return "1" }
            return "substr(CAST(" + column + SQLFragment(" AS BLOB), ?) = ?", -text.utf8.count, Data(text.utf8))
        case .compares(let comparison, let value): return column + SQLFragment(" \(comparison.rawValue) ?", value)
        case .isTrue(let value): return column + SQLFragment(" = ?", value)
        case .isNull(let value): return column + (value ? " IS NULL" : " IS NOT NULL")
        case .member(let key, let test):
            guard !key.contains("\"") else {
                throw UnsupportedCondition(message: "the key of a filter must not hold quotes")
            }
            let member =
                if case .compares = test {
                    "json_extract(" + column
                        + SQLFragment(", ?)", "$." + String(decoding: JSONText.quoted(key), as: UTF8.self))
                } else {
                    MetadataMember.text(of: column, key: key)
                }
            return try Condition(column: self.column, test: test).fragment(member)
        case .allOf: throw UnsupportedCondition(message: "`all of` is for `tags` alone")
        }
    }
}

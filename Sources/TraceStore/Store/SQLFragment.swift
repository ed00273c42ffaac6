internal import GRDB

/// A part of a query with the values of its placeholders.
struct SQLFragment: Sendable, ExpressibleByStringLiteral {
    private(set) var sql: String
    private(set) var arguments: [DatabaseValue] = []

    init(stringLiteral sql: String) { self.sql = sql }

    init(_ sql: String, _ arguments: any DatabaseValueConvertible...) {
        self.sql = sql
        self.arguments = arguments.map(\.databaseValue)
    }

    /// `(?,?,…)` with these values.
    static func list(_ values: [some DatabaseValueConvertible]) -> SQLFragment {
        var fragment = SQLFragment("(" + Array(repeating: "?", count: values.count).joined(separator: ",") + ")")
        fragment.arguments = values.map(\.databaseValue)
        return fragment
    }

    static func + (left: SQLFragment, right: SQLFragment) -> SQLFragment {
        var both = left
        both.sql += right.sql
        both.arguments += right.arguments
        return both
    }

    static func += (left: inout SQLFragment, right: SQLFragment) { left = left + right }

    var statementArguments: StatementArguments { StatementArguments(arguments) }
}

extension [SQLFragment] {
    /// All of them, joined by `AND`; true if there is none.
    var conjunction: SQLFragment {
        guard let first else { return "1" }
        return dropFirst().reduce(first) { $0 + " AND " + $1 }
    }
}

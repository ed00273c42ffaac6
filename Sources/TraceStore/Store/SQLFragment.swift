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

    /// A text as a value, with all that is behind a NUL.
    init(text: String) {
        arguments = [text.whole.databaseValue]
        sql = arguments[0].isBytes ? WholeText.placeholder : "?"
    }

    /// `(?,?,…)` with these numbers.
    static func list(_ numbers: [Int64]) -> SQLFragment { list(numbers.map { SQLFragment("?", $0) }) }

    /// `(?,?,…)` with these numbers.
    static func list(_ numbers: [Double]) -> SQLFragment { list(numbers.map { SQLFragment("?", $0) }) }

    /// `(?,?,…)` with these texts.
    static func list(_ texts: [String]) -> SQLFragment { list(texts.map { SQLFragment(text: $0) }) }

    private static func list(_ values: [SQLFragment]) -> SQLFragment {
        var fragment = SQLFragment("(" + values.map(\.sql).joined(separator: ",") + ")")
        fragment.arguments = values.flatMap(\.arguments)
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

extension DatabaseValue {
    fileprivate var isBytes: Bool { if case .blob = storage { true } else { false } }
}

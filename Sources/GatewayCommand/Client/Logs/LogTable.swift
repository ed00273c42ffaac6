/// Rows of a log as lines of a table, whose columns grow with what is in them.
///
/// What clients and operators chose, such as metadata and names of models, is escaped: it could hold what moves a
/// terminal's cursor.
protocol RowTable {
    associatedtype Row: ListedRow

    init()

    /// The line above the rows.
    mutating func head(above rows: [Row]) -> String

    /// Widens the columns for rows, before any of them is shown.
    mutating func makeRoom(for rows: [Row])

    func line(_ row: Row) -> String
}

/// Requests as lines.
struct LogTable: RowTable {
    /// A longer model does not move the other columns.
    private static let widestModel = 40

    private var modelWidth = "MODEL".count

    mutating func head(above rows: [LogRow]) -> String {
        makeRoom(for: rows)
        return columns(
            time: "TIME", status: "STATUS", latency: "LATENCY", tokens: "TOKENS", model: "MODEL", details: "")
    }

    mutating func makeRoom(for rows: [LogRow]) {
        let widest = rows.map { Self.model(of: $0).count }.max() ?? 0
        modelWidth = max(modelWidth, min(widest, Self.widestModel))
    }

    func line(_ row: LogRow) -> String {
        columns(
            time: row.time.escapedForTerminal, status: String(row.status), latency: Self.duration(row.latency),
            tokens: Self.tokens(of: row),
            model: Self.model(of: row), details: Self.details(of: row).joined(separator: " "))
    }

    private func columns(
        time: String, status: String, latency: String, tokens: String, model: String, details: String
    ) -> String {
        var line = [
            time.padded(to: 24), status.padded(to: 6), latency.padded(to: 9, isRight: true),
            tokens.padded(to: 13, isRight: true), model.padded(to: modelWidth), details,
        ].joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }

    private static func model(of row: LogRow) -> String {
        (row.model ?? row.modelAsked).map(\.escapedForTerminal) ?? "-"
    }

    /// Tokens of input and output.
    private static func tokens(of row: LogRow) -> String {
        guard row.inputTokens != nil || row.outputTokens != nil else { return "-" }
        func text(_ count: Int?) -> String { count.map { String($0) } ?? "?" }
        return "\(text(row.inputTokens))/\(text(row.outputTokens))"
    }

    private static func duration(_ milliseconds: Int) -> String {
        guard milliseconds >= 10_000 else { return "\(milliseconds) ms" }
        let tenths = milliseconds / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }

    private static func details(of row: LogRow) -> [String] {
        var details: [String] = []
        // Whether a call succeeded or failed is seen by its status, or by its error.
        if row.outcome != "succeeded", row.outcome != "failed" { details.append(row.outcome.escapedForTerminal) }
        for (name, value) in [("error", row.errorCode), ("rollout", row.rolloutID), ("user", row.user)] {
            if let value { details.append("\(name)=\(value.shownAsValue)") }
        }
        for (key, value) in row.metadata { details.append("\(key.shownAsValue)=\(value.shownAsValue)") }
        return details + [row.insertionID.escapedForTerminal]
    }
}

extension String {
    /// With spaces to a width in characters.
    func padded(to width: Int, isRight: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(width - count, 0))
        return isRight ? spaces + self : self + spaces
    }
}

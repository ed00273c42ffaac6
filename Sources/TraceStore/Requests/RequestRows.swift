internal import Common
internal import GRDB
internal import RequestLog

/// Reads and deletes whole rows.
enum RequestRows {
    /// The columns of a row in the order in which charts and pages read them.
    enum Column: Int, CaseIterable {
        case place, flags, status, latency, queueWait, firstToken, interToken, input, output, cost, retries, terms
        case cached, reasoning, requestBytes, responseBytes, counter, random

        static let list = list(reading: Set(allCases))

        /// All columns, of which only some are read: SQLite decodes each that a statement names.
        static func list(reading columns: Set<Column>) -> String {
            allCases.map { columns.contains($0) ? "\($0)" : "NULL" }.joined(separator: ", ")
        }

        /// The column of a measured property.
        init(_ number: RequestNumber) {
            self =
                switch number {
                case .latency: .latency
                case .queueWait: .queueWait
                case .timeToFirstToken: .firstToken
                case .interTokenLatency: .interToken
                case .inputTokens: .input
                case .outputTokens: .output
                case .cost: .cost
                case .retries: .retries
                }
        }
    }

    /// The row at which the statement stands, without its attempts.
    static func row(
        _ rows: StatementRows, project: String, texts: inout TermTexts, in db: Database
    ) throws -> RequestRow {
        func integer(_ column: Column) -> Int64 { rows.integer(column.rawValue) }
        func number(_ column: Column) -> Int? { rows.integerOrNil(column.rawValue).map { Int($0) } }
        let id = InsertionID(
            milliseconds: RequestPlace.time(of: integer(.place)).milliseconds,
            counter: UInt64(bitPattern: integer(.counter)),
            randomBits: UInt64(bitPattern: integer(.random)))
        var row = RequestRow(id: id, project: project, outcome: .failed, status: Int(integer(.status)))
        row.isStream = RequestFlags(rawValue: integer(.flags)).contains(.stream)
        row.latency = UInt64(clamping: integer(.latency))
        row.queueWait = rows.integerOrNil(Column.queueWait.rawValue).map { UInt64(clamping: $0) }
        row.timeToFirstToken = rows.integerOrNil(Column.firstToken.rawValue).map { UInt64(clamping: $0) }
        row.interTokenLatency = rows.realOrNil(Column.interToken.rawValue)
        row.tokens.input = number(.input)
        row.tokens.output = number(.output)
        row.tokens.cached = number(.cached)
        row.tokens.reasoning = number(.reasoning)
        row.cost = rows.realOrNil(Column.cost.rawValue)
        row.retries = Int(integer(.retries))
        row.requestBytes = Int(integer(.requestBytes))
        row.responseBytes = Int(integer(.responseBytes))
        try TermList.forEach(in: rows.bytes(Column.terms.rawValue)) { field, term, origin in
            try set(field, text: try texts.text(of: term, db), origin: origin, in: &row, texts: &texts, db: db)
        }
        return row
    }

    private static func set(
        _ field: UInt32, text: String, origin: UInt8, in row: inout RequestRow, texts: inout TermTexts,
        db: Database
    ) throws {
        if let key = TermField.key(of: field) {
            let key = try texts.text(of: key, db)
            return row.metadata.append(.init(key, text, from: .init(rawValue: origin) ?? .header))
        }
        guard let known = UInt8(exactly: field).flatMap({ RequestField.Known(rawValue: $0) }) else { return }
        switch known {
        case .outcome: row.outcome = .named(text) ?? .failed
        case .status: break
        case .errorCode: row.errorCode = text
        case .finishReason: row.finishReason = text
        case .model: row.modelServed = text
        case .modelAsked: row.modelAsked = text
        case .provider: row.provider = text
        case .target: row.target = text
        case .account: row.account = text
        case .user: row.user = text
        case .team: row.teams.append(text)
        case .rule: row.rules.append(text)
        case .path: row.path = text
        case .rollout, .invocation, .experiment, .run, .row: set(known, text, in: &row)
        }
    }

    private static func set(_ id: RequestField.Known, _ text: String, in row: inout RequestRow) {
        var ids = row.rollout ?? RolloutIDs(rollout: "", invocation: "", experiment: "", run: "", row: "")
        switch id {
        case .rollout: ids.rollout = text
        case .invocation: ids.invocation = text
        case .experiment: ids.experiment = text
        case .run: ids.run = text
        default: ids.row = text
        }
        row.rollout = ids
    }

    static func attempts(place: Int64, project: Int64, _ db: Database) throws -> [SpanAttempt] {
        let rows = StatementRows(
            try db.makeStatement(
                sql: """
                    SELECT number, model, failure, began, ended FROM request_attempt
                    WHERE project = ? AND place = ? ORDER BY number
                    """))
        rows.restart(project, place)
        var attempts: [SpanAttempt] = []
        while try rows.next() {
            attempts.append(
                SpanAttempt(
                    number: Int(rows.integer(0)), model: rows.text(1) ?? "", failure: rows.text(2),
                    began: Timestamp(clamping: rows.integer(3)), ended: Timestamp(clamping: rows.integer(4))))
        }
        return attempts
    }

    /// Deletes a row with all that belongs to it.
    static func delete(place: Int64, project: Int64, _ db: Database) throws {
        let arguments: StatementArguments = [project, place]
        let read = StatementRows(
            try db.cachedStatement(sql: "SELECT terms FROM request WHERE project = ? AND place = ?"))
        read.restart(project, place)
        guard try read.next() else { return }
        let terms = Array(read.bytes(0))
        let unindex = try db.cachedStatement(sql: "DELETE FROM request_index WHERE term = ? AND place = ?")
        try TermList.forEachTerm(in: terms) { try unindex.execute(arguments: [Int64($0), place]) }
        for table in ["request_attempt", "request"] {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE project = ? AND place = ?")
                .execute(arguments: arguments)
        }
    }
}

/// The texts of terms. A term's number never stands for another text, so they may be remembered.
struct TermTexts {
    private var known: [UInt32: String] = [:]
    /// Texts that were read from the table.
    private(set) var reads = 0

    /// The text of a term; empty if it is gone.
    mutating func text(of term: UInt32, _ db: Database) throws -> String {
        if let text = known[term] { return text }
        reads += 1
        let rows = StatementRows(try db.cachedStatement(sql: "SELECT value FROM request_term WHERE id = ?"))
        rows.restart(Int64(term))
        let text = try rows.next() ? rows.text(0) ?? "" : ""
        known[term] = text
        return text
    }
}

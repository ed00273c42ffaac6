internal import Common
internal import GRDB
internal import JSON

/// Reads pages of the store and writes them as JSON, row by row, so that no row stands in memory twice.
struct TraceReader: Sendable {
    /// The most bytes of an answer. Langfuse has bounds too, and answers 422 beyond them.
    static let maximumBytes = 64 << 20

    let database: TraceDatabase

    /// A page of `GET /api/public/v2/observations`.
    /// - Parameter duplicates: whether each row is shown twice.
    func observations(_ request: ObservationRequest, project: String, duplicates: Bool) async throws -> [UInt8] {
        var query = request.query
        let limit = duplicates ? (query.limit + 1) / 2 : query.limit
        // One more tells whether there are further pages.
        query.limit = limit + 1
        let statement = try Self.checked { () throws(UnsupportedCondition) in try query.rows() }
        guard limit > 0 else { return Array(#"{"data":[],"meta":{}}"#.utf8) }
        return try await database.read { db in
            var writer = JSONWriter()
            var cursor: ObservationCursor?
            try writer.object { writer in
                try writer.member("data") { writer in
                    try writer.array { writer in
                        let rows = try Row.fetchCursor(db, sql: statement.sql, arguments: statement.statementArguments)
                        var count = 0
                        var last: ObservationCursor?
                        while let row = try rows.next() {
                            count += 1
                            guard count <= limit else {
                                cursor = last
                                break
                            }
                            let observation = ObservationRow.observation(row)
                            for _ in 0..<(duplicates ? 2 : 1) {
                                writer.element { $0.observation(observation, project: project, request) }
                            }
                            try Self.checkSize(writer)
                            last = ObservationCursor(
                                start: observation.start, traceID: observation.traceID, id: observation.id,
                                row: ObservationRow.number(row))
                        }
                    }
                }
                writer.member("meta") { $0.object { if let cursor { $0.member("cursor", cursor.text) } } }
            }
            return writer.bytes
        }
    }

    /// A page by its number, as the older APIs have them, with the total over all pages.
    /// - Parameters:
    ///   - rows: selects the page's rows.
    ///   - total: counts the rows of all pages.
    ///   - write: writes a row as an element of `data`.
    func page(
        _ number: Int, limit: Int, rows: SQLFragment, total: SQLFragment,
        write: @escaping @Sendable (Row, Database, inout JSONWriter) throws -> Void
    ) async throws -> [UInt8] {
        try await database.read { db in
            let total = try Int.fetchOne(db, sql: total.sql, arguments: total.statementArguments) ?? 0
            var writer = JSONWriter()
            try writer.object { writer in
                try writer.member("data") { writer in
                    try writer.array { writer in
                        let rows = try Row.fetchCursor(db, sql: rows.sql, arguments: rows.statementArguments)
                        while let row = try rows.next() {
                            try writer.element { try write(row, db, &$0) }
                            try Self.checkSize(writer)
                        }
                    }
                }
                writer.pages(page: number, limit: limit, total: total)
            }
            return writer.bytes
        }
    }

    func count(_ query: ObservationQuery) async throws -> Int {
        let statement = try Self.checked { () throws(UnsupportedCondition) in try query.count() }
        return try await database.read { db in
            try Int.fetchOne(db, sql: statement.sql, arguments: statement.statementArguments) ?? 0
        }
    }

    /// A condition that cannot be answered is the client's to repair.
    static func checked<Value>(_ make: () throws(UnsupportedCondition) -> Value) throws(LangfuseError) -> Value {
        do throws(UnsupportedCondition) { return try make() } catch { throw .invalidRequest(error.message) }
    }

    /// - Throws: 422 for an answer that has become too large.
    static func checkSize(_ writer: JSONWriter) throws(LangfuseError) {
        guard writer.bytes.count <= maximumBytes else { throw .tooLarge(maximumBytes) }
    }
}

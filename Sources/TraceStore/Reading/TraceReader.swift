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
                            guard writer.bytes.count <= Self.maximumBytes else {
                                throw LangfuseError.tooLarge(Self.maximumBytes)
                            }
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
}

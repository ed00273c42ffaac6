internal import Common
internal import JSON

/// A row that lists and exports show.
protocol ShownRow: Sendable, Equatable {
    static var columns: [String] { get }

    /// The values of the columns.
    var fields: [String?] { get }

    /// Writes the row as an object.
    func write(to writer: inout JSONWriter)
}

/// All rows that pass a filter, written page by page, so that an export of any length takes the memory of one page.
struct RowExport<Row: ShownRow>: Sendable {
    let form: ExportForm
    let first: RowPage<Row>
    /// Reads the page behind a place.
    let page: @Sendable (_ place: PageCursor) async throws -> RowPage<Row>

    /// Writes the rows, from the page on that was read already.
    func write(to write: RequestLogResponse.Write) async throws {
        if form == .csv { try await write(CSV.line(Row.columns)[...]) }
        var page = first
        while true {
            try Task.checkCancellation()
            let piece = bytes(of: page.rows)
            if !piece.isEmpty { try await write(piece[...]) }
            guard let next = page.next else { return }
            page = try await self.page(next)
        }
    }

    private func bytes(of rows: [Row]) -> [UInt8] {
        var out: [UInt8] = []
        for row in rows {
            switch form {
            case .csv: out += CSV.line(row.fields)
            case .jsonl:
                var writer = JSONWriter()
                row.write(to: &writer)
                out += writer.bytes
                out.append(UInt8(ascii: "\n"))
            }
        }
        return out
    }
}

extension JSONWriter {
    /// The text that `body` writes.
    static func text(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

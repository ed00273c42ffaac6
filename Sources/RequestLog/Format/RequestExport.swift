internal import Common
internal import JSON

/// All rows that pass a filter, written page by page, so that an export of any length takes the memory of one page.
struct RequestExport: Sendable {
    enum Form: String, Sendable, CaseIterable {
        case jsonl, csv

        var contentType: String {
            switch self {
            case .jsonl: "application/jsonl"
            case .csv: "text/csv; charset=utf-8"
            }
        }
    }

    let store: any RequestLogStore
    let form: Form
    let filter: RequestFilter
    let project: String
    let first: RequestPage

    /// Writes the rows, from the page on that was read already.
    func write(to write: RequestLogAnswer.Write) async throws {
        if form == .csv { try await write(RequestCSV.head[...]) }
        var page = first
        while true {
            try Task.checkCancellation()
            let piece = bytes(of: page.rows)
            if !piece.isEmpty { try await write(piece[...]) }
            guard let next = page.next else { return }
            page = try await store.page(filter, after: next, limit: FilterLimits.pageRows, project: project)
        }
    }

    private func bytes(of rows: [RequestRow]) -> [UInt8] {
        var out: [UInt8] = []
        for row in rows {
            switch form {
            case .csv: RequestCSV.append(row, to: &out)
            case .jsonl:
                var writer = JSONWriter()
                writer.request(row, whole: false)
                out += writer.bytes
                out.append(UInt8(ascii: "\n"))
            }
        }
        return out
    }
}

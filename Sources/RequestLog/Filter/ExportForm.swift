/// The form of an export.
enum ExportForm: String, Sendable, CaseIterable {
    case jsonl, csv

    var contentType: String {
        switch self {
        case .jsonl: "application/jsonl"
        case .csv: "text/csv; charset=utf-8"
        }
    }
}

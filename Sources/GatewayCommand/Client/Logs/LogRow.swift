internal import Common
internal import JSON

/// One request as the gateway tells it; what a line shows of it, and all of it as it came.
struct LogRow: Sendable {
    var insertionID: String
    var time: String
    var outcome: String
    var status: Int
    var errorCode: String?
    var rolloutID: String?
    var user: String?
    /// In the gateway's order.
    var metadata: [(key: String, value: String)] = []
    var modelAsked: String?
    var model: String?
    var inputTokens: Int?
    var outputTokens: Int?
    /// Milliseconds.
    var latency = 0
    /// The row on one line, as it came.
    var json = ""
}

/// A row of a log as the gateway tells it.
protocol ListedRow: Sendable {
    /// The path at which the gateway lists such rows.
    static var path: String { get }

    var id: String { get }
    /// The row on one line, as it came.
    var json: String { get }

    /// Nil for what is not such a row.
    init?(_ object: JSONObject)
}

/// Rows of a log, the newest first, and where those before them are.
struct LogPage<Row: ListedRow>: Sendable {
    /// Far deeper than any row is.
    private static var deepest: Int { 16 }

    private(set) var rows: [Row] = []
    private(set) var nextCursor: String?

    /// Nil for what is not a page.
    init?(_ bytes: [UInt8]) {
        guard let page = try? JSONObject.scan(bytes, maximumDepth: Self.deepest),
            let data = page.member("data"), let elements = page.elements(data)
        else { return nil }
        nextCursor = page.member("next_cursor").flatMap(page.string)
        for element in elements {
            guard let object = try? JSONObject.scan(bytes, range: element.value, maximumDepth: Self.deepest),
                let row = Row(object)
            else { return nil }
            rows.append(row)
        }
    }
}

extension JSONObject {
    /// The text of a member; nil for anything else.
    func text(_ name: String) -> String? { member(name).flatMap(string) }

    /// The object as it came.
    var source: String { String(decoding: bytes[braces], as: UTF8.self) }
}

extension LogRow: ListedRow {
    static let path = "/logs/requests"

    var id: String { insertionID }

    init?(_ object: JSONObject) {
        func text(_ name: String) -> String? { object.text(name) }
        func number(_ name: String) -> Int? {
            guard let member = object.member(name), member.kind == .number else { return nil }
            return Double(String(decoding: object.bytes[member.value], as: UTF8.self)).flatMap {
                Int(exactly: $0.rounded())
            }
        }
        guard let id = text("insertion_id"), let time = text("time"), let outcome = text("outcome"),
            let status = number("status")
        else { return nil }
        self.init(insertionID: id, time: time, outcome: outcome, status: status)
        errorCode = text("error_code")
        rolloutID = text("rollout_id")
        user = text("user")
        modelAsked = text("model_asked")
        model = text("model")
        inputTokens = number("input_tokens")
        outputTokens = number("output_tokens")
        latency = number("latency_ms") ?? 0
        json = object.source
        guard let member = object.member("metadata"), let metadata = try? object.object(member) else { return }
        for entry in metadata.members {
            guard let key = metadata.name(of: entry), let value = metadata.string(entry) else { continue }
            self.metadata.append((key, value))
        }
    }
}

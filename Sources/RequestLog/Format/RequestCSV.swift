internal import Common
internal import JSON

/// Rows as CSV (RFC 4180), one a line, for spreadsheets.
enum RequestCSV {
    private static let columns = [
        "insertion_id", "time", "project_id", "outcome", "status", "error_code", "finish_reason", "rollout_id",
        "invocation_id", "experiment_id", "run_id", "row_id", "account", "user", "teams", "metadata", "path",
        "model_asked", "model", "provider", "target", "rules", "retries", "stream", "input_tokens", "output_tokens",
        "cached_tokens", "reasoning_tokens", "cost_usd", "latency_ms", "queue_wait_ms", "time_to_first_token_ms",
        "inter_token_latency_ms", "request_bytes", "response_bytes",
    ]

    static let head = Array((columns.joined(separator: ",") + "\r\n").utf8)

    /// Appends a row. Lists and metadata stand in one column each, as JSON.
    static func append(_ row: RequestRow, to out: inout [UInt8]) {
        let ids = row.rollout
        let texts: [String?] = [
            row.id.description, TimeText.iso(Int64(clamping: row.time)), row.project, row.outcome.rawValue,
            String(row.status), row.errorCode, row.finishReason, ids?.rollout, ids?.invocation, ids?.experiment,
            ids?.run, ids?.row, row.account, row.user, json { $0.texts(row.teams) },
            json { writer in
                writer.object { writer in for entry in row.metadata { writer.member(entry.key, entry.value) } }
            },
            row.path, row.modelAsked, row.modelServed, row.provider, row.target, json { $0.texts(row.rules) },
        ]
        let numbers: [String?] = [
            String(row.retries), String(row.isStream), row.tokens.input.map { String($0) },
            row.tokens.output.map { String($0) }, row.tokens.cached.map { String($0) },
            row.tokens.reasoning.map { String($0) }, row.cost.map { number($0) }, String(row.latency),
            row.queueWait.map { String($0) }, row.timeToFirstToken.map { String($0) },
            row.interTokenLatency.map { number($0) }, String(row.requestBytes), String(row.responseBytes),
        ]
        for (index, text) in (texts + numbers).enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            appendField(text ?? "", to: &out)
        }
        out.append(contentsOf: "\r\n".utf8)
    }

    /// Appends a field, in quotes where it needs them. What a spreadsheet would take for a formula gets an apostrophe
    /// in front (OWASP, "CSV Injection"): the text may be a client's.
    static func appendField(_ text: String, to out: inout [UInt8]) {
        let formula: [UInt8] = Array("=+-@\t\r\n".utf8)
        let special: [UInt8] = Array(",\"\r\n".utf8)
        let isFormula = text.utf8.first.map { formula.contains($0) } ?? false
        let needsQuotes = isFormula || text.utf8.contains { special.contains($0) }
        guard needsQuotes else { return out.append(contentsOf: text.utf8) }
        out.append(UInt8(ascii: "\""))
        if isFormula { out.append(UInt8(ascii: "'")) }
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func number(_ value: Double) -> String {
        var writer = JSONWriter()
        writer.number(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func json(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

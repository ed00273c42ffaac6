internal import Common
internal import JSON

/// The command that makes a call again. It has no key: the shell takes that from the environment.
enum CurlText {
    static func of(_ request: LoggedRequest, messages: String?) -> String {
        let object = request.object
        var path = "$GATEWAY_URL"
        if let project = object.text("project_id") { path += "/project_id/" + PercentEncoding.segment(project) }
        for name in ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"] {
            if let id = object.text(name) { path += "/\(name)/" + PercentEncoding.segment(id) }
        }
        // What no segment of a path may have is no path's of the gateway's own either.
        let told = object.text("path") ?? ""
        let allowed = "/-._~:@!,;=+()"
        path += told.hasPrefix("/") ? PercentEncoding.segment(told, keeping: allowed + "%") : "/chat/completions"
        var lines = [
            "curl \"\(path)\"", "-H \"authorization: Bearer $GATEWAY_API_KEY\"", "-H 'content-type: application/json'",
        ]
        if !request.metadata.isEmpty {
            var writer = JSONWriter()
            writer.object { writer in for entry in request.metadata { writer.member(entry.name, entry.value) } }
            lines.append("-H \(quoted("x-tfy-metadata: " + String(decoding: writer.bytes, as: UTF8.self)))")
        }
        var body = JSONWriter()
        body.object { writer in
            writer.member("model", object.text("model_asked") ?? request.model ?? "")
            writer.member("messages") { $0.raw(messages ?? "[]") }
            if object.flag("stream") ?? false { writer.member("stream", true) }
        }
        lines.append("-d \(quoted(String(decoding: body.bytes, as: UTF8.self)))")
        return lines.joined(separator: " \\\n  ")
    }

    /// A text as one word of a shell (POSIX.1-2024, 2.2.2).
    static func quoted(_ text: String) -> String {
        var out: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "'") { out += "'\\''".utf8 } else { out.append(byte) }
        }
        return String(decoding: out, as: UTF8.self) + "'"
    }
}

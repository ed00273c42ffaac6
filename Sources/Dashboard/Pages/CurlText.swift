internal import Common
internal import JSON

/// The command that makes a call again. It has no key: the shell takes that from the environment.
enum CurlText {
    /// The metadata key by which the gateway names the request that a dead letter's was made of: no client's own.
    private static let ownKey = "requeued_from"

    /// - Parameter conversation: of the trace, where there is one.
    static func of(_ request: LoggedRequest, _ conversation: Conversation?) -> String {
        let object = request.object
        var path = "$GATEWAY_URL"
        if let project = object.text("project_id") { path += "/project_id/" + PercentEncoding.segment(project) }
        for name in ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"] {
            if let id = object.text(name) { path += "/\(name)/" + PercentEncoding.segment(id) }
        }
        // What no segment of a path may have is not in a path of the gateway's own either.
        let told = object.text("path") ?? ""
        let allowed = "/-._~:@!,;=+()"
        path += told.hasPrefix("/") ? PercentEncoding.segment(told, keeping: allowed + "%") : "/chat/completions"
        var lines = [
            "curl \"\(path)\"", "-H \"authorization: Bearer $GATEWAY_API_KEY\"", "-H 'content-type: application/json'",
        ]
        let metadata = request.metadata.filter { !$0.name.utf8.elementsEqual(ownKey.utf8) }
        if !metadata.isEmpty {
            var writer = JSONWriter()
            writer.object { writer in for entry in metadata { writer.member(entry.name, entry.value) } }
            lines.append("-H \(quoted("x-tfy-metadata: " + String(decoding: writer.bytes, as: UTF8.self)))")
        }
        var body = JSONWriter()
        body.object { writer in
            writer.member("model", object.text("model_asked") ?? request.model ?? "")
            if takesMessages(request) {
                writer.member("messages") { $0.raw(conversation?.requestMessages ?? "[]") }
                if let tools = conversation?.requestTools { writer.member("tools") { $0.raw(tools) } }
            }
            if object.flag("stream") ?? false { writer.member("stream", true) }
        }
        lines.append("-d \(quoted(String(decoding: body.bytes, as: UTF8.self)))")
        return lines.joined(separator: " \\\n  ")
    }

    private static func takesMessages(_ request: LoggedRequest) -> Bool {
        guard let path = request.object.text("path"), path.hasPrefix("/") else { return true }
        return ["/chat/completions", "/messages"].contains { path.hasSuffix($0) }
    }

    /// The parts that the command leaves out, since neither the row nor the trace that the page reads has them.
    static func missing(_ request: LoggedRequest, _ conversation: Conversation?) -> String {
        let others = "an address in the path (encoded_base_url)"
        guard takesMessages(request) else {
            return "The gateway keeps neither the request's body, such as input, nor \(others): add them."
        }
        let parameters = "tool_choice, temperature, max_tokens, response_format and other parameters"
        return conversation?.requestMessages == nil
            ? "Not known here, and left out: messages, tools, \(parameters), and \(others)."
            : "Not read from the trace, and left out: \(parameters), and \(others)."
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

internal import Common
internal import JSON

/// The status that an error within an answer with a status of success stands for.
enum ErrorStatus {
    /// The names of Anthropic's and OpenAI's errors.
    private static let names: [UTF8Text: Int] = [
        "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
        "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429,
        "insufficient_quota": 429, "api_error": 500, "server_error": 500, "internal_server_error": 500,
        "service_unavailable": 503, "timeout_error": 504, "overloaded_error": 529,
    ]

    /// Reads the value of an `error`, which is JSON: its `code` or `status` as a number, else its `code` or `type` by
    /// name.
    static func read(_ error: [UInt8]) -> Int? {
        guard let object = try? JSONObject.scan(error, maximumDepth: .max) else { return nil }
        for name in ["code", "status", "status_code"] {
            guard let member = object.member(name) else { continue }
            let text = object.string(member) ?? String(decoding: object.bytes[member.value], as: UTF8.self)
            if text.utf8.count == 3, let status = Int(text), (400...599).contains(status) { return status }
        }
        for name in ["code", "type"] {
            if let text = object.member(name).flatMap(object.string), let status = names[UTF8Text(text)] {
                return status
            }
        }
        return nil
    }
}

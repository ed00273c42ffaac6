internal import JSON

/// An error that a client is told. It renders itself in OpenAI's shape, so nothing maps errors centrally.
///
/// The shape is `{"error":{"message","type","param","code"},"detail"}`. OpenAI's SDKs read `error`; `detail` repeats
/// the message at the top level, because eval-protocol's client prints that member.
public struct GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status of the answer.
    public var status: Int
    /// OpenAI's coarse kind, such as `invalid_request_error`.
    public var type: String
    /// A fixed identifier of the cause, fit for a metric label: never holds a dynamic value.
    public var code: String
    /// The fault, its place, and its repair.
    public var message: String
    /// The member or path segment at fault, if there is one.
    public var param: String?
    /// The operator's rule that refuses the request, if one does.
    public var rule: String?
    /// Further headers of the answer. They stay in this process: what travels over Redis has none.
    package var headers: [HeaderField] = []
    /// Seconds for `Retry-After`. At most 60, since OpenAI's Node SDK ignores more.
    public var retryAfter: Int?
    /// Whether the client's SDK may retry (`x-should-retry`). False where a provider may already have been paid.
    public var shouldRetry: Bool?

    public init(
        status: Int, type: String, code: String, message: String, param: String? = nil, retryAfter: Int? = nil,
        shouldRetry: Bool? = nil
    ) {
        self.status = status
        self.type = type
        self.code = code
        self.message = message
        self.param = param
        self.retryAfter = retryAfter.map { min(max($0, 1), 60) }
        self.shouldRetry = shouldRetry
    }

    /// A request that must be changed before it can succeed.
    public static func invalidRequest(
        _ status: Int = 400, code: String, _ message: String, param: String? = nil
    ) -> Self {
        Self(
            status: status, type: "invalid_request_error", code: code, message: message, param: param,
            shouldRetry: false)
    }

    /// A failure of the gateway itself. Its cause goes to the log, not to the client.
    package static func internalError(_ message: String, shouldRetry: Bool? = nil) -> Self {
        Self(
            status: 500, type: "server_error", code: "internal_error", message: message, shouldRetry: shouldRetry)
    }

    public var description: String { "\(status) \(code): \(message)" }
}

extension GatewayError {
    /// The headers that tell a client's SDK whether and when to ask again.
    package var retryHeaders: [HeaderField] {
        var headers: [HeaderField] = []
        if let retryAfter { headers.append(HeaderField("retry-after", String(retryAfter))) }
        if let shouldRetry { headers.append(HeaderField("x-should-retry", String(shouldRetry))) }
        return headers
    }

    /// The body of the answer, as UTF-8 JSON.
    public var json: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(128 + 2 * message.utf8.count)
        out.append(contentsOf: #"{"error":{"message":"#.utf8)
        JSONText.append(message, to: &out)
        out.append(contentsOf: #","type":"#.utf8)
        JSONText.append(type, to: &out)
        out.append(contentsOf: #","param":"#.utf8)
        if let param { JSONText.append(param, to: &out) } else { out.append(contentsOf: "null".utf8) }
        out.append(contentsOf: #","code":"#.utf8)
        JSONText.append(code, to: &out)
        if let rule {
            out.append(contentsOf: #","rule":"#.utf8)
            JSONText.append(rule, to: &out)
        }
        out.append(contentsOf: #"},"detail":"#.utf8)
        JSONText.append(message, to: &out)
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// The error as one server-sent event, for a stream that has already begun.
    public var serverSentEvent: [UInt8] { Array("data: ".utf8) + json + Array("\n\n".utf8) }
}

internal import Common
internal import Upstream

/// All of one mock answer, worked out before it is played: its head, its pieces, and when it fails.
struct MockResponse: Sendable {
    let head: UpstreamHead
    /// Until the head.
    let delay: Duration
    /// Between two pieces of the text.
    let pace: Duration
    let failure: MockOptions.Failure?
    private let content: Content

    private enum Content: Sendable {
        case whole([UInt8])
        case stream(MockStream)
    }

    /// The pieces before the failure, or all of them.
    var pieceCount: Int {
        switch content {
        case .whole: 1
        case .stream(let stream): failure == nil ? stream.count : stream.count / 2
        }
    }

    init(to request: MockRequest, id: String, created: UInt64) throws(GatewayError) {
        let options = request.options
        guard options.status == 200 else {
            self.init(error: Self.error(options.status), options: options)
            return
        }
        let completion = MockCompletion(request, id: id, created: created)
        self.init(
            status: 200, options: options,
            type: request.isStream ? "text/event-stream; charset=utf-8" : "application/json",
            content: request.isStream ? .stream(MockStream(completion, request)) : .whole(completion.json))
    }

    /// An error body, at once or as the options say.
    init(error: GatewayError, options: MockOptions? = nil) {
        self.init(status: error.status, options: options, type: "application/json", content: .whole(error.json))
    }

    private init(status: Int, options: MockOptions?, type: String, content: Content) {
        var headers = [HeaderField("content-type", type)]
        if let seconds = options?.retryAfter { headers.append(HeaderField("retry-after", "\(seconds)")) }
        head = UpstreamHead(status: status, headers: headers)
        delay = options?.delay ?? .zero
        pace = options?.pace ?? .zero
        failure = options?.failure
        self.content = content
    }

    /// One piece, and how long to wait before it.
    func piece(_ index: Int) -> (wait: Duration, bytes: [UInt8]) {
        switch content {
        case .whole(let body): (.zero, failure == nil ? body : Array(body.prefix(body.count / 2)))
        case .stream(let stream): (stream.isPaced(index) ? pace : .zero, stream.frame(index))
        }
    }

    private static func error(_ status: Int) -> GatewayError {
        let (type, code) =
            switch status {
            case 401: ("authentication_error", "invalid_api_key")
            case 403: ("permission_error", "permission_denied")
            case 404: ("invalid_request_error", "model_not_found")
            case 429: ("rate_limit_error", "rate_limit_exceeded")
            case 500...: ("server_error", "server_error")
            default: ("invalid_request_error", "invalid_request")
            }
        return GatewayError(
            status: status, type: type, code: code,
            message: "The mock answers with status \(status), as the model's name asks.")
    }
}

internal import Common

/// The meaning of a Langfuse answer's status and body (4.16: `withMiddlewares.ts`, `createAuthedProjectAPIRoute.ts`).
struct LangfuseResponse: Sendable {
    /// The time to wait after a 429 that does not say it.
    static let defaultPause = Duration.seconds(10)
    /// The longest pause that is believed.
    static let longestPause = Duration.seconds(300)
    /// Characters of the server's own words that an error repeats.
    private static let mostWords = 200

    let status: Int
    let headers: [HeaderField]
    let body: [UInt8]

    var isNotFound: Bool { status == 404 }

    /// The error that the status stands for; nil for a success.
    /// - Parameter host: for the message.
    func error(from host: BaseURL) -> TraceSourceError? {
        switch status {
        case 200: nil
        case 401, 403:
            .refused(
                "the trace store at \(host) does not let the gateway in (HTTP \(status)\(words)); check the project's langfuse_keys in secrets.yaml"
            )
        case 413: .tooLarge
        // The question itself is too long for a proxy on the way: fewer ids make it shorter.
        case 414, 431: .tooSlow
        case 422: isPayload ? .tooLarge : .tooSlow
        case 429: .rateLimited(retryAfter: retryAfter ?? Self.defaultPause)
        case 408, 500...: .unavailable("the trace store at \(host) is in trouble (HTTP \(status)\(words))")
        case 300..<400:
            .refused(
                "the trace store at \(host) answers with a redirection (HTTP \(status)); set LANGFUSE_HOST to where it leads"
            )
        default: .refused("the trace store at \(host) refuses the question (HTTP \(status)\(words))")
        }
    }

    /// The time for which the server wants to be left alone; nil if it does not say.
    var retryAfter: Duration? {
        let seconds =
            headers.first(named: "retry-after").flatMap { Int($0) }
            ?? LangfuseJSON(body)?.nested("details")?.count("retryAfterSeconds")
        return seconds.map { min(.seconds(max($0, 1)), Self.longestPause) }
    }

    private var isPayload: Bool { LangfuseJSON(body)?.text("error")?.hasPrefix("PayloadTooLarge") == true }

    /// The server's message, short and on one line.
    private var words: String {
        guard let message = LangfuseJSON(body)?.text("message") else { return "" }
        let scalars = message.unicodeScalars.prefix(Self.mostWords).map {
            $0.properties.generalCategory == .control ? " " : $0
        }
        return ": \(String(String.UnicodeScalarView(scalars)))"
    }
}

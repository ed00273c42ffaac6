internal import Common
internal import Upstream

extension GatewayError {
    static let forwarderFailed = GatewayError(
        status: 500, type: "server_error", code: "internal_error",
        message: "The forwarder failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: false)

    /// The answer is larger than what there is room for.
    static let answerNotKept = GatewayError(
        status: 507, type: "server_error", code: "kept_bytes_full",
        message:
            "The answer is larger than the room that is left for answers which can be fetched later (KEPT_BYTES), and "
            + "was given up. The call was made. Make it without Prefer: respond-async and Idempotency-Key, or when "
            + "/ready no longer warns.",
        shouldRetry: false)

    /// A stream had no content in the time that its client gives it. TrueFoundry's status.
    static func firstTokenTimeout(milliseconds: Int) -> GatewayError {
        GatewayError(
            status: 408, type: "upstream_error", code: Route.Failure.firstTokenTimeout.word,
            message: "The stream had no content after \(milliseconds) ms, which `x-tfy-ttft-timeout-ms` gives it.",
            shouldRetry: false)
    }

    /// The error for a client whose call failed before its answer began.
    init(upstream error: UpstreamError) {
        let status =
            switch error.code {
            case .invalidURL, .blockedAddress: 400
            case .connectTimeout, .idleTimeout, .totalTimeout: 504
            case .unavailable: 503
            case .resolve, .connect, .tls, .tooLarge, .malformed, .closedEarly, .cancelled: 502
            }
        self.init(
            status: status, type: status == 400 ? "invalid_request_error" : "upstream_error", code: error.code.rawValue,
            message: "The provider did not answer: \(error.message)",
            // Once the request may have arrived, it may have been paid for: a client that repeats it pays twice.
            shouldRetry: error.requestMayHaveBeenSent || status == 400 ? false : nil)
    }
}

extension Route.Failure {
    /// The rules' name of a failure of the transport; nil: they cannot name it.
    /// - Parameters:
    ///   - hasHead: whether an answer had begun.
    ///   - isStream: whether the client asked for a stream.
    init?(_ error: UpstreamError, hasHead: Bool, isStream: Bool) {
        switch error.code {
        case .resolve, .connect, .tls, .connectTimeout: self = .connectError
        case .idleTimeout, .totalTimeout: self = .timeout
        case .malformed, .closedEarly: self = hasHead && isStream ? .streamError : .connectError
        case .invalidURL, .blockedAddress, .tooLarge, .cancelled, .unavailable: return nil
        }
    }
}

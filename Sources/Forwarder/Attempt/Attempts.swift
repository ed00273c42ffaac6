internal import Common
internal import Queue
internal import Upstream

/// Decides what follows a failed call. The forwarder alone retries calls to providers. It retries a call that was
/// certainly not paid for. Once, it also repeats a call that was lost with a kept connection, which most likely was not
/// paid for.
struct Attempts: Sendable {
    enum Decision: Sendable, Equatable {
        case retry(after: Duration)
        /// The same call at once, on a connection of its own. It may be paid for twice.
        case repeatOnFresh
        case giveUp(GatewayError)
    }

    /// Calls that may be made in all (`UPSTREAM_ATTEMPTS`), the repeated one included.
    let limit: Int
    /// Whether a call may be repeated if its kept connection closed without an answer.
    private(set) var mayRepeat: Bool
    /// Whether a call to another target may have been paid for.
    private(set) var mayBePaid = false
    /// Calls that have failed.
    private(set) var made = 0
    /// The pauses before the next calls.
    private var backoff = Backoff(first: .milliseconds(100), longest: .milliseconds(3200))
    private(set) var hasRepeated = false

    init(limit: Int, mayRepeat: Bool = true) { (self.limit, self.mayRepeat) = (limit, mayRepeat) }

    /// The time within which a call on a kept connection must fail to be repeated. A process that stood still for
    /// longer finds its connection closed. By then another forwarder may have taken over its job and made the call.
    private static let repeatsWithin = JobStream.lostAfter

    /// - Parameters:
    ///   - elapsed: the time since the call began.
    ///   - remaining: what is left until the client's time is over.
    mutating func failed(_ error: UpstreamError, after elapsed: Duration, remaining: Duration) -> Decision {
        made += 1
        let pause = backoff.next()
        guard made < limit else { return .giveUp(told(of: error)) }
        if error.keptConnectionClosed, mayRepeat, !hasRepeated, Self.repeatsWithin > elapsed, remaining > .zero {
            hasRepeated = true
            return .repeatOnFresh
        }
        guard !error.requestMayHaveBeenSent, Self.isPassing(error.code), remaining > pause else {
            return .giveUp(told(of: error))
        }
        return .retry(after: pause)
    }

    /// Notes that the next call goes to another target.
    /// - Parameters:
    ///   - mayRepeat: whether a call to that target may be repeated.
    ///   - mayBePaid: whether the call that failed may have been paid for.
    mutating func goesOn(mayRepeat: Bool, mayBePaid: Bool) {
        self.mayRepeat = mayRepeat
        self.mayBePaid = self.mayBePaid || mayBePaid
    }

    /// The error for a client whose time is over before the next call.
    var expired: GatewayError {
        guard hasRepeated || mayBePaid else { return .expired }
        let why = "its time was over before the call could be repeated"
        return GatewayError(upstream: UpstreamError(.totalTimeout, why, requestMayHaveBeenSent: true))
    }

    /// The error for the client. If the first of two calls may have been paid for, the client must not repeat it,
    /// although the second was not made.
    func told(of error: UpstreamError) -> GatewayError {
        var error = error
        error.requestMayHaveBeenSent = error.requestMayHaveBeenSent || hasRepeated || mayBePaid
        return GatewayError(upstream: error)
    }

    /// Whether the same call may go well a moment later.
    private static func isPassing(_ code: UpstreamError.Code) -> Bool {
        switch code {
        case .resolve, .connect, .connectTimeout, .tls: true
        case .invalidURL, .blockedAddress, .idleTimeout, .totalTimeout, .tooLarge, .malformed, .closedEarly, .cancelled,
            .unavailable:
            false
        }
    }
}

extension GatewayError {
    static let forwarderFailed = GatewayError.internalError(
        "The forwarder failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: false)

    /// The error for an answer that is larger than the room for kept answers.
    static let answerNotKept = GatewayError(
        status: 507, type: "server_error", code: "kept_bytes_full",
        message:
            "The answer is larger than the room that is left for answers which can be fetched later (KEPT_BYTES), and "
            + "was given up. The call was made. Make it without Prefer: respond-async and Idempotency-Key, or when "
            + "/ready no longer warns.",
        shouldRetry: false)

    /// The error for a stream that had no content in the time that its client gives it. The status is TrueFoundry's.
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
    /// The rules' name of a failure of the transport; nil if they have none.
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

internal import Common
internal import Upstream

/// Decides what follows a failed call. The forwarder is the only one that retries a provider, and only what was certainly not paid for.
struct Attempts: Sendable {
    enum Decision: Sendable, Equatable {
        case retry(after: Duration)
        case giveUp(GatewayError)
    }

    /// Calls that may be made in all (`UPSTREAM_ATTEMPTS`).
    let limit: Int
    private(set) var made = 0

    init(limit: Int) { self.limit = limit }

    /// - Parameter remaining: what is left until nobody waits any longer.
    mutating func failed(_ error: UpstreamError, remaining: Duration) -> Decision {
        made += 1
        let pause = Duration.milliseconds(100 << min(made - 1, 5))
        guard !error.requestMayHaveBeenSent, Self.isPassing(error.code), made < limit, remaining > pause else {
            return .giveUp(GatewayError(upstream: error))
        }
        return .retry(after: pause)
    }

    /// Whether the same call may go well a moment later.
    private static func isPassing(_ code: UpstreamError.Code) -> Bool {
        switch code {
        case .resolve, .connect, .connectTimeout, .tls: true
        case .invalidURL, .blockedAddress, .idleTimeout, .totalTimeout, .tooLarge, .malformed, .closedEarly, .cancelled, .unavailable: false
        }
    }
}

extension GatewayError {
    /// What a client is told of a call that failed before its answer began.
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

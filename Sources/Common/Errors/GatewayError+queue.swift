package import Redis

extension GatewayError {
    package static let queueUnavailable = GatewayError(
        status: 503, type: "server_error", code: "queue_unavailable",
        message: "The gateway's queue (Redis) cannot be reached. Try again; nothing waits in it for this request.",
        retryAfter: 1)

    /// - Parameter error: what Redis or the way to it said.
    package static func queueUnavailable(_ error: RedisError) -> GatewayError {
        guard let code = error.refusal else { return queueUnavailable }
        var refused = queueUnavailable
        refused.message =
            "The gateway's queue (Redis) refuses (\(code)): \(RedisRefusal.advice(for: code)). Try again; nothing waits in it for this request."
        return refused
    }
}

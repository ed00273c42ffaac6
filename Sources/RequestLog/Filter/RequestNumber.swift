/// A measured property of a request, by which rows are filtered.
package enum RequestNumber: String, Sendable, CaseIterable {
    /// Milliseconds, as all durations.
    case latency
    case queueWait = "queue_wait"
    case timeToFirstToken = "time_to_first_token"
    case interTokenLatency = "inter_token_latency"
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    /// US dollars.
    case cost
    case retries
}

extension RequestRow {
    /// The value of a measured property; nil where it was not measured.
    package func value(of number: RequestNumber) -> Double? {
        switch number {
        case .latency: Double(latency)
        case .queueWait: queueWait.map { Double($0) }
        case .timeToFirstToken: timeToFirstToken.map { Double($0) }
        case .interTokenLatency: interTokenLatency
        case .inputTokens: tokens.input.map { Double($0) }
        case .outputTokens: tokens.output.map { Double($0) }
        case .cost: cost
        case .retries: Double(retries)
        }
    }

    /// Whether it came to nothing by a fault of the provider's, the gateway's or the request's own. A client that left
    /// is none.
    package var isError: Bool { outcome == .failed || outcome == .refused || outcome == .deadLettered }

    /// Whether one of the operator's rate limits refused it.
    package var isLimitHit: Bool { outcome == .refused && errorCode == Self.limitCode }

    /// The `code` of a refusal by a rate limit.
    package static let limitCode = "rate_limit_exceeded"
}

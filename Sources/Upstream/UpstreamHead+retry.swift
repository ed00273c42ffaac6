extension UpstreamHead {
    /// Whether a client's SDK would try again on seeing this answer: a failure that may pass, unless it says that it
    /// must not be tried again, as where the call may have been paid for. (What openai-python retries: 408, 409, 429
    /// and 5xx; `x-should-retry` overrules.)
    package var asksForAnotherAttempt: Bool {
        switch headers.first(named: "x-should-retry") {
        case "true": true
        case "false": false
        default: [408, 409, 429].contains(status) || status >= 500
        }
    }
}

@testable import Common
@testable import Upstream

extension InsertionID {
    /// An id that differs from others by its number.
    static func numbered(_ number: UInt64) -> InsertionID {
        InsertionID(high: 0x0198_F3A0_0000_7000, low: 0b10 << 62 | number)
    }
}

extension Job {
    /// A job that has everything.
    static let full = Job(
        insertionID: .numbered(1), project: "préféré",
        rollout: RolloutIDs(rollout: "r{*}", invocation: "i'\"", experiment: "e", run: "🙂", row: "__proto__"),
        account: "alice", method: "POST", path: "/chat/completions", query: "a=b&c=%20",
        headers: [HeaderField("Accept", "*/*"), HeaderField("X-Empty", ""), HeaderField("x-latin", "é")],
        clientKey: SecretString("sk-canary"),
        baseURL: "https://example.test:8443/v1", model: "openai/gpt-4o", isStream: true,
        deadline: Deadline(at: Timestamp(milliseconds: 1_763_812_345_678)),
        responseKey: "gateway/responses/abc", window: 65_536,
        idempotency: Idempotency(key: "gateway/idempotency/ab"),
        body: Array(#"{"model":"openai/gpt-4o"}"#.utf8) + Array(0...255))

    /// A job with all that rules and its client ask of its calls.
    static let routed: Job = {
        var job = Job.full
        let retry = Route.Retry(attempts: 2, delay: 100, failures: [.status(429), .streamError])
        let changes = Route.Changes(
            members: [.init("temperature", json: "0.2")], headers: [HeaderField("x-team", "é")], removedHeaders: ["a"])
        job.route = Route(
            [
                .init("p/a", rule: "é", failures: [.timeout, .connectError], retry: retry, changes: changes),
                .init("p/b"),
            ],
            fallback: 1, fallbackFailures: [.firstTokenTimeout, .errorInSuccess, .status(500)])
        job.options = CallOptions(retry: retry, timeout: 1500, firstTokenTimeout: 20)
        return job
    }()

    /// A job that has only what must be there.
    static let least = Job(
        insertionID: .numbered(2), project: "p", method: "GET", path: "/", deadline: .past, responseKey: "k")
}

extension ResponseFrame {
    static let samples = [
        ResponseFrame(sequence: 0),
        ResponseFrame(sequence: .max, head: UpstreamHead(status: 200), end: .complete),
        ResponseFrame(sequence: 7, body: Array(0...255)),
        ResponseFrame(
            sequence: 1,
            head: UpstreamHead(
                status: 429, headers: [HeaderField("Retry-After", "2"), HeaderField("a", ""), HeaderField("a", "é")]),
            body: [0], end: .complete),
        ResponseFrame(sequence: 1 << 40, end: .brokenOff(.broken)),
    ]
}

extension GatewayError {
    /// As it comes back from a frame: without what has no place in a stream.
    static let broken = GatewayError(
        status: 502, type: "upstream_error", code: "closed_early", message: "gone \"é\"", shouldRetry: false)
}

internal import Common
internal import JSON

/// A row of the request log as a page reads it.
struct LoggedRequest {
    struct Attempt {
        var number: Int
        var model: String?
        var failure: String?
        var began: Timestamp
        var ended: Timestamp
    }

    let object: JSONObject
    let id: String
    let time: String
    let outcome: String
    let status: Int

    init?(_ object: JSONObject) {
        guard let id = object.text("insertion_id"), let time = object.text("time"),
            let outcome = object.text("outcome"), let status = object.number("status")
        else { return nil }
        self.object = object
        (self.id, self.time, self.outcome, self.status) = (id, time, outcome, Int(status))
    }

    /// Rows of a page, the newest first, and where the search goes on.
    static func page(_ bytes: [UInt8]) throws(GatewayError) -> (rows: [LoggedRequest], next: String?) {
        let answer = try JSONObject.answer(bytes)
        return (answer.objects("data").compactMap(LoggedRequest.init), answer.text("next_cursor"))
    }

    var model: String? { object.text("model") ?? object.text("model_asked") }
    var rollout: String? { object.text("rollout_id") }
    var latency: Double { object.number("latency_ms") ?? 0 }
    var metadata: [(name: String, value: String)] { object.nested("metadata")?.textMembers ?? [] }

    var attempts: [Attempt] {
        object.objects("attempts").compactMap { attempt in
            guard let began = attempt.text("began_at").flatMap({ Timestamp(iso8601: $0) }),
                let ended = attempt.text("ended_at").flatMap({ Timestamp(iso8601: $0) })
            else { return nil }
            return Attempt(
                number: Int(attempt.number("number") ?? 0), model: attempt.text("model"),
                failure: attempt.text("failure"),
                began: began, ended: ended)
        }
    }

    /// The mark of the request's end: `good`, `bad`, `warn` or `quiet`.
    var tone: String { Self.tone(outcome) }

    static func tone(_ outcome: String) -> String {
        switch outcome {
        case "succeeded": "good"
        case "failed", "dead_lettered": "bad"
        case "refused": "warn"
        default: "quiet"
        }
    }
}

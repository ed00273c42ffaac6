internal import Common

/// The waits of a request, one line after the other on a common scale.
struct TimelineView {
    struct Step {
        var stepName: String
        var stepNote: String
        var stepX: String
        var stepWidth: String
        var stepTone: String
        var stepTime: String
    }

    var steps: [Step] = []
    var timelineTotal: String

    init(_ request: LoggedRequest) {
        let began = Timestamp(iso8601: request.time) ?? .epoch
        let attempts = request.attempts
        let end = attempts.map { Double($0.ended.milliseconds(since: began)) }.max() ?? 0
        let whole = max(request.latency, end, 1)
        timelineTotal = Figures.duration(request.latency)
        if let wait = request.object.number("queue_wait_ms") {
            steps.append(Self.step("Queue", note: "", from: 0, length: wait, tone: "quiet", of: whole))
        }
        for attempt in attempts {
            let from = Double(attempt.began.milliseconds(since: began))
            steps.append(
                Self.step(
                    "Attempt \(attempt.number)",
                    note: [attempt.model, attempt.failure].compactMap { $0 }.joined(separator: " · "), from: from,
                    length: Double(attempt.ended.milliseconds(since: attempt.began)),
                    tone: attempt.failure == nil ? "good" : "bad",
                    of: whole))
        }
        if attempts.isEmpty, request.latency > 0 {
            let wait = request.object.number("queue_wait_ms") ?? 0
            steps.append(
                Self.step(
                    wait > 0 ? "Call" : "Request", note: request.model ?? "", from: wait,
                    length: request.latency - wait, tone: request.tone,
                    of: whole))
        }
        if let first = request.object.number("time_to_first_token_ms") {
            steps.append(Self.step("First token", note: "", from: 0, length: first, tone: "flight", of: whole))
        }
    }

    private static func step(
        _ name: String, note: String, from: Double, length: Double, tone: String, of whole: Double
    ) -> Step {
        // A moment is seen too.
        let width = max(length, whole / 200)
        return Step(
            stepName: name, stepNote: note, stepX: SVGText.percent(min(from, whole - width), of: whole),
            stepWidth: SVGText.percent(width, of: whole), stepTone: tone, stepTime: Figures.duration(length))
    }
}

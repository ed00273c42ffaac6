internal import Common
internal import JSON

extension RequestRow {
    /// The row of a request's record.
    package init(_ record: RecordTexts) {
        let summary = record.bytes(.request).flatMap { RequestSummary(json: $0) } ?? RequestSummary()
        let code = record[.errorType]
        self.init(
            id: record.id, project: record[.project] ?? "", outcome: Self.outcome(summary, code: code),
            status: summary.status == 0 ? record.number(.status) ?? 0 : summary.status)
        account = record[.account]
        (user, teams, path, isStream) = (summary.user, summary.teams, summary.path, summary.isStream)
        (requestBytes, responseBytes, rules) = (summary.requestBytes, summary.responseBytes, summary.rules)
        (modelAsked, modelServed) = (record[.modelAsked], summary.firstCall == nil ? nil : record[.model])
        (provider, target) = (record[.provider], summary.target)
        errorCode = code
        finishReason = record[.finishReasonsMetadata]
        (metadata, rollout) = Self.metadata(record)
        readTokens(record)
        readTimes(record, summary)
        attempts = Self.attempts(record, summary, failure: code)
        retries = max(attempts.count - 1, 0)
    }

    private static func outcome(_ summary: RequestSummary, code: String?) -> Outcome {
        if let ending = summary.ending.flatMap({ Outcome(rawValue: $0) }) { return ending }
        return code == nil ? .succeeded : .failed
    }

    /// The resolved metadata, and the ids of the path. In the trace's metadata there may be others, of the body.
    private static func metadata(_ record: RecordTexts) -> ([ResolvedMetadata.Entry], RolloutIDs?) {
        guard let all = record.bytes(.traceMetadata).flatMap({ try? JSONObject.scan($0, maximumDepth: .max) }) else {
            return ([], nil)
        }
        let text = { (name: String) in all.member(name).flatMap { all.string($0) } }
        var ids: RolloutIDs?
        if let rollout = text("rollout_id"), let invocation = text("invocation_id"),
            let experiment = text("experiment_id"), let run = text("run_id"), let row = text("row_id")
        {
            ids = RolloutIDs(rollout: rollout, invocation: invocation, experiment: experiment, run: run, row: row)
        }
        guard let origins = record.bytes(.metadataOrigins).flatMap({ try? JSONObject.scan($0, maximumDepth: 2) }) else {
            return ([], ids)
        }
        let entries = origins.members.compactMap { member -> ResolvedMetadata.Entry? in
            guard let key = origins.name(of: member), let value = text(key), let word = origins.string(member),
                let origin = ResolvedMetadata.Origin.allCases.first(where: { $0.name == word })
            else { return nil }
            return ResolvedMetadata.Entry(key, value, from: origin)
        }
        return (entries, ids)
    }

    private mutating func readTokens(_ record: RecordTexts) {
        tokens.input = record.number(.inputTokens)
        tokens.output = record.number(.outputTokens)
        tokens.cached = record.number(.cachedTokens)
        guard let details = record.bytes(.usageDetails).flatMap({ try? JSONObject.scan($0, maximumDepth: 2) }),
            let reasoning = details.member("output_reasoning_tokens")
        else { return }
        tokens.reasoning = Int(String(decoding: details.bytes[reasoning.value], as: UTF8.self))
    }

    private mutating func readTimes(_ record: RecordTexts, _ summary: RequestSummary) {
        latency = record.end.milliseconds(since: time)
        queueWait = summary.firstCall?.milliseconds(since: time)
        guard isStream, let token = record[.firstToken].flatMap({ Timestamp(iso8601: $0) }) else { return }
        timeToFirstToken = token.milliseconds(since: time)
        guard let count = tokens.output, count > 1 else { return }
        interTokenLatency = Double(record.end.milliseconds(since: token)) / Double(count - 1)
    }

    /// The calls, those of dead forwarders first. A request of one call has no spans of attempts.
    private static func attempts(_ record: RecordTexts, _ summary: RequestSummary, failure: String?) -> [SpanAttempt] {
        let start = record.id.time
        let model = record[.modelAsked] ?? ""
        let lost = (0..<max(0, min(summary.lostCalls, 100))).map { _ in
            SpanAttempt(number: 0, model: model, failure: "lost", began: start, ended: summary.firstCall ?? record.end)
        }
        var made = record.attempts
        if made.isEmpty, let began = summary.firstCall {
            made = [
                SpanAttempt(
                    number: 1, model: summary.target ?? model, failure: failure, began: began, ended: record.end)
            ]
        }
        return (lost + made).enumerated().map { index, attempt in
            var attempt = attempt
            attempt.number = index + 1
            return attempt
        }
    }
}

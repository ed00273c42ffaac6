internal import Common
internal import JSON

extension RequestRow: ShownRow {
    static let columns = [
        "insertion_id", "time", "project_id", "outcome", "status", "error_code", "finish_reason", "rollout_id",
        "invocation_id", "experiment_id", "run_id", "row_id", "account", "user", "teams", "metadata", "path",
        "model_asked", "model", "provider", "target", "rules", "retries", "stream", "input_tokens", "output_tokens",
        "cached_tokens", "reasoning_tokens", "cost_usd", "latency_ms", "queue_wait_ms", "time_to_first_token_ms",
        "inter_token_latency_ms", "request_bytes", "response_bytes",
    ]

    /// Lists and metadata stand in one column each, as JSON.
    var fields: [String?] {
        let ids = rollout
        let texts: [String?] = [
            id.description, time.iso8601, project, outcome.rawValue,
            String(status), errorCode, finishReason, ids?.rollout, ids?.invocation, ids?.experiment,
            ids?.run, ids?.row, account, user, JSONWriter.text { $0.texts(teams) },
            JSONWriter.text { writer in
                writer.object { writer in for entry in metadata { writer.member(entry.key, entry.value) } }
            },
            path, modelAsked, modelServed, provider, target, JSONWriter.text { $0.texts(rules) },
        ]
        let numbers: [String?] = [
            String(retries), String(isStream), tokens.input.map { String($0) },
            tokens.output.map { String($0) }, tokens.cached.map { String($0) },
            tokens.reasoning.map { String($0) }, cost.map { cost in JSONWriter.text { $0.number(cost) } },
            String(latency),
            queueWait.map { String($0) }, timeToFirstToken.map { String($0) },
            interTokenLatency.map { time in JSONWriter.text { $0.number(time) } }, String(requestBytes),
            String(responseBytes),
        ]
        return texts + numbers
    }

    func write(to writer: inout JSONWriter) { writer.request(self, whole: false) }
}

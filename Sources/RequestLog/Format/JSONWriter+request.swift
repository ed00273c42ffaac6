internal import Common
internal import JSON

extension JSONWriter {
    /// A row as an object.
    /// - Parameter whole: whether its attempts and the origins of its metadata are in it.
    mutating func request(_ row: RequestRow, whole: Bool) {
        object { writer in
            writer.identity(of: row)
            writer.decisions(of: row, whole: whole)
            writer.measurements(of: row)
            guard whole else { return }
            writer.member("attempts") { writer in writer.array(row.attempts) { $0.attempt($1) } }
        }
    }

    private mutating func identity(of row: RequestRow) {
        member("insertion_id", row.id.description)
        member("time", row.time.iso8601)
        member("project_id", row.project)
        member("outcome", row.outcome.rawValue)
        member("status", row.status)
        member("error_code", row.errorCode)
        member("finish_reason", row.finishReason)
        member("rollout_id", row.rollout?.rollout)
        member("invocation_id", row.rollout?.invocation)
        member("experiment_id", row.rollout?.experiment)
        member("run_id", row.rollout?.run)
        member("row_id", row.rollout?.row)
        member("account", row.account)
        member("user", row.user)
        member("teams") { $0.texts(row.teams) }
    }

    private mutating func decisions(of row: RequestRow, whole: Bool) {
        member("metadata") { writer in
            writer.object { writer in for entry in row.metadata { writer.member(entry.key, entry.value) } }
        }
        if whole {
            member("metadata_origins") { writer in
                writer.object { writer in for entry in row.metadata { writer.member(entry.key, entry.origin.name) } }
            }
        }
        member("path", row.path)
        member("model_asked", row.modelAsked)
        member("model", row.modelServed)
        member("provider", row.provider)
        member("target", row.target)
        member("rules") { $0.texts(row.rules) }
        member("retries", row.retries)
    }

    private mutating func measurements(of row: RequestRow) {
        member("stream", row.isStream)
        member("input_tokens", row.tokens.input.map { Double($0) })
        member("output_tokens", row.tokens.output.map { Double($0) })
        member("cached_tokens", row.tokens.cached.map { Double($0) })
        member("reasoning_tokens", row.tokens.reasoning.map { Double($0) })
        member("cost_usd", row.cost)
        member("latency_ms", Double(row.latency))
        member("queue_wait_ms", row.queueWait.map { Double($0) })
        member("time_to_first_token_ms", row.timeToFirstToken.map { Double($0) })
        member("inter_token_latency_ms", row.interTokenLatency)
        member("request_bytes", row.requestBytes)
        member("response_bytes", row.responseBytes)
    }

    private mutating func attempt(_ attempt: SpanAttempt) {
        object { writer in
            writer.member("number", attempt.number)
            writer.member("model", attempt.model)
            writer.member("failure", attempt.failure)
            writer.member("began_at", attempt.began.iso8601)
            writer.member("ended_at", attempt.ended.iso8601)
        }
    }

    mutating func texts(_ texts: [String]) { array(texts) { $0.string($1) } }
}

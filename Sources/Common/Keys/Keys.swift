/// The names of all Redis keys and channels, each with its type and its meaning. Architecture §3 says of each who
/// writes and reads it, and how long it lives.
///
/// An id in a path holds no `/`. Every key holds one, except the sets of the default project's rollouts, whose names
/// users choose. So no such set meets another key.
package enum Keys {
    /// Hash: the verdict on a rollout, true for the present state of its set, and the marks of verifiers at work.
    package static func verdict(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verdict/", rollout.project, "/", rollout.name)
    }

    /// Hash: which verifier works on a rollout's verdict, and what it knows so far.
    package static func verifying(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verifying/", rollout.project, "/", rollout.name)
    }

    /// Set: the insertion ids of a rollout whose traces were seen in the trace store.
    package static func verified(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verified/", rollout.project, "/", rollout.name)
    }

    /// Set: insertion ids whose calls have ended and whose traces a LiteLLM proxy writes (`LITELLM_TRACES`). Without it
    /// these calls would count as in flight, since the gateway has no spans of them.
    package static func ended(of rollout: Rollout) -> String {
        String(concatenating: "gateway/ended/", rollout.project, "/", rollout.name)
    }

    /// Hash: a rollout's other ids, when it began, how many ids its set should have, and how many of its completions
    /// failed.
    package static func rolloutRecord(of rollout: Rollout) -> String {
        String(concatenating: "gateway/rollout/", rollout.project, "/", rollout.name)
    }

    /// String: how many ids a rollout's set should have. The rollout's record counts the same: Redis may lose one of
    /// the two, and the greater one counts. This one also outlives the set, so that a set whose life has ended is
    /// missed.
    package static func count(of rollout: Rollout) -> String {
        String(concatenating: "gateway/count/", rollout.project, "/", rollout.name)
    }

    /// Sorted set: a project's rollouts by the time of their last completion, in milliseconds since 1970, to a second.
    package static func rollouts(project: String) -> String {
        String(concatenating: "gateway/rollouts/", project)
    }

    /// String: the sealed span of a completion.
    package static func span(_ id: InsertionID) -> String {
        String(concatenating: "gateway/span/", id.description)
    }

    /// Stream, consumer groups `exporters` and `recorders`: the ids of a project's spans that wait for their export, or
    /// for the request log.
    package static func traces(project: String) -> String {
        String(concatenating: "gateway/traces/", project)
    }
    package static let exporterGroup = "exporters"

    /// The group of the processes that write the request log: the second one on each project's stream of spans, and the
    /// only one on the stream of requests without a span.
    package static let recorderGroup = "recorders"

    /// Stream, consumer group `recorders`: sealed records of requests that have no span, and audit events.
    package static let requests = "gateway/requests"

    /// String: bytes of all records, of spans too, that wait for the request log.
    package static let requestBytes = "gateway/requests/bytes"

    /// String: how many rows the request log has lost, since more waited than `REQUEST_LOG_BYTES` allows.
    package static let requestsLost = "gateway/requests/lost"

    /// Hash: exported projects, each with the unix time, in seconds, at which an exporter last named it.
    package static let exportedProjects = "gateway/trace/projects"

    /// String: why a trace store takes no spans.
    package static let traceTrouble = "gateway/trace/trouble"

    /// String: bytes of all spans that wait for their export.
    package static let traceBytes = "gateway/trace/bytes"

    /// List: the spans that the trace store accepted and that are kept, oldest first, each as `{unix seconds} {bytes}
    /// {key}`; and a string, their bytes.
    package static let keptTraces = "gateway/trace/kept"
    package static let keptTraceBytes = "gateway/trace/kept/bytes"

    /// Stream, consumer group `forwarders`: the jobs that wait or run.
    package static let jobs = "gateway/jobs"
    package static let jobGroup = "forwarders"

    /// String: bytes of all payloads on the job stream.
    package static let jobBytes = "gateway/jobs/bytes"

    /// String: the sealed key of its own under which a withheld job is sealed.
    package static func jobKey(_ id: InsertionID) -> String {
        String(concatenating: "gateway/jobkey/", id.description)
    }

    /// Stream: frames of the answers to all requests that wait at one ingress.
    package static func responses(ingress: String) -> String {
        String(concatenating: "gateway/responses/", ingress)
    }

    /// Stream: frames of one job's answer, if clients may fetch it or its ingress is gone.
    package static func response(_ id: InsertionID) -> String {
        String(concatenating: responsePrefix, id.description)
    }

    /// Whether a key is that of an answer's own stream. Each job asks this several times, so no text is built for a key
    /// of another length.
    package static func isResponse(_ key: String, of id: InsertionID) -> Bool {
        key.utf8.count == responsePrefix.utf8.count + 36 && key == response(id)
    }
    private static let responsePrefix = "gateway/response/"

    /// Hash: the owner of a job that can be fetched, and its place in the queue.
    package static func jobRecord(_ id: InsertionID) -> String {
        String(concatenating: "gateway/job/", id.description)
    }

    /// Hash: the job that a client's `Idempotency-Key` stands for, and the fingerprint of its request.
    /// - Parameter name: a fingerprint of the key and of its owner.
    package static func idempotency(_ name: [UInt8]) -> String {
        "gateway/idempotency/" + String(hexadecimal: name)
    }

    /// Hash: bytes that are kept for later, beyond the life of a call: in all, and by the minute in which they expire.
    package static let kept = "gateway/kept"

    /// Stream that an ingress writes to in order to wake its own blocked read.
    package static func wakeUp(ingress: String) -> String {
        String(concatenating: "gateway/bell/", ingress)
    }

    /// String: a forwarder is alive, and whether it makes calls with the operator's keys.
    package static func forwarder(_ id: String) -> String { forwarderPrefix + id }
    package static let forwarderPrefix = "gateway/forwarder/"

    /// String: the job is no longer wanted; and the bytes of the answer that its client had, if they are known.
    package static func cancelled(_ id: InsertionID) -> String {
        String(concatenating: "gateway/cancelled/", id.description)
    }
    /// Channel: `{insertion_id} {bytes}`, or the id alone, of a job that was just cancelled. The key above is the
    /// truth, and this only the news of it.
    package static let cancellations = "gateway/cancellations"

    /// String: how many bytes of an answer its slow reader has taken.
    package static func credit(_ id: InsertionID) -> String {
        String(concatenating: "gateway/credit/", id.description)
    }
    /// Channel: `{insertion_id} {bytes}`. The key above is the truth, and this only the news of it.
    package static let credits = "gateway/credits"

    /// String: the first bytes of an answer are on their way, so the job's work may not be repeated.
    package static func started(_ id: InsertionID) -> String {
        String(concatenating: "gateway/started/", id.description)
    }

    /// Stream, consumer group `verifiers`: questions about rollouts and traces.
    package static let verifications = "gateway/verifications"
    package static let verifierGroup = "verifiers"

    /// String: bytes of all payloads on the stream of questions.
    package static let verificationBytes = "gateway/verifications/bytes"

    /// String: why questions about rollouts are held up or cut short at a verifier.
    package static let verifierTrouble = "gateway/verifications/trouble"

    /// Stream, consumer group `queriers`: questions about the request log.
    package static let queries = "gateway/queries"
    package static let querierGroup = "queriers"

    /// String: bytes of all payloads on that stream.
    package static let queryBytes = "gateway/queries/bytes"

    /// String: a process that keeps the request log is alive. The process's name follows.
    package static let querierPrefix = "gateway/querier/"

    /// String: the fingerprint of the key that seals the contents of this Redis.
    package static let keyFingerprint = "gateway/key/fingerprint"

    // Two names are elsewhere, since nothing is stored under them: `gateway/nothing` (`RedisConnection+logIn.swift`)
    // and `gateway/span/unknown` (`SpanOutbox.swift`).

    /// String: a verifier is alive. The verifier's name follows.
    package static let verifierPrefix = "gateway/verifier/"

    /// Hash: how much of a Langfuse organisation's rate limit is left, and until when its calls must pause.
    /// - Parameters:
    ///   - account: a fingerprint of the host and the public key.
    ///   - bucket: which of the organisation's limits (the legacy routes have one of their own).
    package static func langfuseLimit(account: String, bucket: String) -> String {
        String(concatenating: "gateway/limit/langfuse/", account, "/", bucket)
    }

    /// List: the times at which a charge was counted on a rate limit, in milliseconds since 1970, oldest first; and a
    /// hash: how much at each of these times and in `sum`, the `oldest` of them, and how many `slots` they are.
    /// - Parameter counter: a fingerprint of the rule and of what it counts apart.
    package static func rateSlots(_ counter: String) -> String {
        String(concatenating: "gateway/rate/", counter, "/slots")
    }
    package static func rateAmounts(_ counter: String) -> String {
        String(concatenating: "gateway/rate/", counter, "/amounts")
    }

    /// Sorted set: ingress processes by the time of their last report, in milliseconds since 1970; and a hash: which
    /// rules are in force in each.
    package static let ingresses = "gateway/ingresses"
    package static let ingressRules = "gateway/ingresses/rules"

    /// Stream: sealed entries of a rollout's log.
    package static func logs(of rollout: Rollout) -> String {
        String(concatenating: "gateway/logs/", rollout.project, "/", rollout.name)
    }

    /// Hash: the newest entry of a rollout's log that tells its status, sealed; the log's bytes; and the bytes that are
    /// counted for both in `gateway/kept`.
    package static func status(of rollout: Rollout) -> String {
        String(concatenating: "gateway/status/", rollout.project, "/", rollout.name)
    }

    /// Stream: jobs that were given up, with the reason.
    package static let dead = "gateway/dead"
}

/// The names of rollouts' keys. They depend on which project is the default one: its sets have bare names.
package struct KeySpace: Sendable, Equatable {
    private let defaultProject: String

    package init(defaultProject: String) { self.defaultProject = defaultProject }

    /// Set: the insertion ids of a rollout's completions that succeeded or have not ended. The default project's
    /// rollouts go by their bare name, as in eval-protocol's gateway.
    package func set(of rollout: Rollout) -> String {
        rollout.project == defaultProject
            ? rollout.name : String(concatenating: "project/", rollout.project, "/", rollout.name)
    }

    /// The keys that the steps on the queue touch together.
    package func keys(of rollout: Rollout) -> RolloutKeys {
        RolloutKeys(
            set: set(of: rollout), verdict: Keys.verdict(of: rollout), record: Keys.rolloutRecord(of: rollout),
            count: Keys.count(of: rollout), list: Keys.rollouts(project: rollout.project))
    }
}

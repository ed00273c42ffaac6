/// Every Redis key of the gateway, each with its type, who writes it and who reads it, and how long it lives.
///
/// An id in a path can hold no `/`, and every key of ours holds one: a key that a user chose never meets one of ours.
package enum Keys {
    /// Set of insertion ids. Written by ingress (added) and forwarder (removed on failure), read by the verifier and by
    /// people with `SMEMBERS`. Lives `ROLLOUT_TTL_SECONDS`, renewed with each id. The default project's rollouts go by
    /// their bare name, as in the reference gateway.
    package static func set(of rollout: Rollout, defaultProject: String) -> String {
        rollout.project == defaultProject
            ? rollout.name : String(concatenating: "project/", rollout.project, "/", rollout.name)
    }

    /// Hash: the findings about a rollout, true for the state of its set. Written by the verifier, read by ingress,
    /// deleted with each change of the set.
    package static func verdict(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verdict/", rollout.project, "/", rollout.name)
    }

    /// Hash: which verifier works on a rollout's verdict, and what it knows so far. Written and read by verifiers;
    /// lives 5 s, renewed each second.
    package static func verifying(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verifying/", rollout.project, "/", rollout.name)
    }

    /// Set of insertion ids whose traces were seen in the trace store. Written and read by the verifier; lives as the
    /// rollout's set.
    package static func verified(of rollout: Rollout) -> String {
        String(concatenating: "gateway/verified/", rollout.project, "/", rollout.name)
    }

    /// Set of insertion ids whose calls have ended and whose traces a LiteLLM proxy writes (`LITELLM_TRACES`). No one
    /// is told that these are in flight. Written by forwarders, read by the verifier and by ingress; lives as long as a
    /// call could, renewed with each id.
    package static func ended(of rollout: Rollout) -> String {
        String(concatenating: "gateway/ended/", rollout.project, "/", rollout.name)
    }

    /// Hash: a rollout's other ids, when it began, how many ids its set should have, and how many of its completions
    /// failed. Written by ingress and forwarder, read by ingress and verifier; lives as the rollout's set.
    package static func record(of rollout: Rollout) -> String {
        String(concatenating: "gateway/rollout/", rollout.project, "/", rollout.name)
    }

    /// String: how many ids a rollout's set should have. Written by ingress and forwarder in the step that changes the
    /// set, read by the verifier; lives twice as long as the set, so that a set that was lost is missed.
    package static func count(of rollout: Rollout) -> String {
        String(concatenating: "gateway/count/", rollout.project, "/", rollout.name)
    }

    /// Sorted set: a project's rollouts by the time of their last completion, in milliseconds since 1970. Written and
    /// read by ingress; lives as the newest of their sets.
    package static func rollouts(project: String) -> String {
        String(concatenating: "gateway/rollouts/", project)
    }

    /// String: the sealed span of a completion. Written by the forwarder, read by the exporter and, to have it sent
    /// again, the verifier; lives while it waits for its export, and an hour after.
    package static func span(_ id: InsertionID) -> String {
        String(concatenating: "gateway/span/", id.description)
    }

    /// Stream, consumer group `exporters`: the ids of spans that wait for their export to a project's trace store.
    /// Written by forwarders and verifiers, read by forwarders; an entry is deleted when the span is accepted.
    package static func traces(project: String) -> String {
        String(concatenating: "gateway/traces/", project)
    }
    package static let exporterGroup = "exporters"

    /// The group of those that write the request log: a second one on each project's stream of spans, and the only one
    /// on the stream of requests without a span.
    package static let recorderGroup = "recorders"

    /// Stream, consumer group `recorders`: sealed records of requests that have no span, and audit events, `i`
    /// insertion id, `p` record. Written by forwarders and ingresses, the latter by all parts, read by the process with
    /// the request log; an entry is deleted when its row is written.
    package static let requests = "gateway/requests"

    /// String: bytes of all records, of spans too, that wait for the request log. Written by the scripts that add and
    /// delete the entries.
    package static let requestBytes = "gateway/requests/bytes"

    /// String: how many rows the request log has lost, since more waited than `REQUEST_LOG_BYTES` allows. Written by
    /// forwarders and by the process with the request log; kept.
    package static let requestsLost = "gateway/requests/lost"

    /// Hash: exported projects, each with the unix time, in seconds, at which an exporter last named it. Written and
    /// read by exporters; a project goes when no exporter names it and nothing of it is left.
    package static let exportedProjects = "gateway/trace/projects"

    /// String: why a trace store takes no spans. Written by forwarders, read by ingress; lives two minutes.
    package static let traceTrouble = "gateway/trace/trouble"

    /// String: bytes of all spans that wait for their export. Written by the scripts that add and delete the entries.
    package static let traceBytes = "gateway/trace/bytes"

    /// List: the spans that were accepted, oldest first, each as `{unix seconds} {bytes} {key}`; and a string, their
    /// bytes. Written by forwarders; of what is older than an hour or beyond `OUTBOX_BYTES`, the span is deleted.
    package static let keptTraces = "gateway/trace/kept"
    package static let keptTraceBytes = "gateway/trace/kept/bytes"

    /// Stream, consumer group `forwarders`. Written by ingress, read by forwarders; an entry is deleted when it is
    /// acknowledged.
    package static let jobs = "gateway/jobs"
    package static let jobGroup = "forwarders"

    /// String: bytes of all payloads on the job stream. Written by the scripts that add and delete entries; gone when
    /// the stream is empty.
    package static let jobBytes = "gateway/jobs/bytes"

    /// String: the sealed key of its own under which a withheld job is sealed. Written by ingress, read by forwarders,
    /// deleted in the step that ends the job; lives as long as a rollout's set at most.
    package static func jobKey(_ id: InsertionID) -> String {
        String(concatenating: "gateway/jobkey/", id.description)
    }

    /// Stream of frames for all requests that wait at one ingress. Written by forwarders, read and trimmed by that
    /// ingress; lives on its heartbeat.
    package static func responses(ingress: String) -> String {
        String(concatenating: "gateway/responses/", ingress)
    }

    /// Stream of frames of one job whose ingress is gone. Written by forwarders, read by any ingress; lives an hour.
    package static func response(_ id: InsertionID) -> String {
        String(concatenating: responsePrefix, id.description)
    }

    /// Whether a key is an answer's own. It is asked several times a job, so nothing is built for
    /// one of another length.
    package static func isResponse(_ key: String, of id: InsertionID) -> Bool {
        key.utf8.count == responsePrefix.utf8.count + 36 && key == response(id)
    }
    private static let responsePrefix = "gateway/response/"

    /// Hash: whose a job is that can be fetched, and its place in the queue. Written and read by ingress; lives as long
    /// as its answer could.
    package static func record(_ id: InsertionID) -> String {
        String(concatenating: "gateway/job/", id.description)
    }

    /// Hash: the job that a client's `Idempotency-Key` stands for, and the fingerprint of its request. Written and read
    /// by ingress, deleted by a forwarder when the answer asks for another attempt; lives a day.
    /// - Parameter name: a fingerprint of whose key it is.
    package static func idempotency(_ name: [UInt8]) -> String {
        "gateway/idempotency/" + String(hexadecimal: name)
    }

    /// Hash: bytes that are kept for later, beyond the life of a call: in all, and by the minute in which they expire.
    /// Written by the scripts that add to answers and logs, read by ingress and forwarder; lives until the last of them
    /// has expired.
    package static let kept = "gateway/kept"

    /// Stream that an ingress writes to in order to wake its own blocked read. Lives a minute.
    package static func wakeUp(ingress: String) -> String {
        String(concatenating: "gateway/bell/", ingress)
    }

    /// String: a forwarder is alive, and whether it makes calls with the operator's keys. Written by it, read by the
    /// other forwarders and by `/ready`; lives 15 s, renewed each 5 s.
    package static func forwarder(_ id: String) -> String { forwarderPrefix + id }
    package static let forwarderPrefix = "gateway/forwarder/"

    /// String: the job is no longer wanted. Written by ingress, read by forwarders; lives as long as the job could.
    package static func cancelled(_ id: InsertionID) -> String {
        String(concatenating: "gateway/cancelled/", id.description)
    }
    /// Channel: an insertion id that was just cancelled. The key above is the truth, this only the news of it.
    package static let cancellations = "gateway/cancellations"

    /// String: how many bytes of an answer its slow reader has taken. Written by ingress, read by the forwarder; lives
    /// as long as the job could.
    package static func credit(_ id: InsertionID) -> String {
        String(concatenating: "gateway/credit/", id.description)
    }
    /// Channel: `{insertion id} {bytes}`. The key above is the truth, this only the news of it.
    package static let credits = "gateway/credits"

    /// String: the first bytes of an answer are on their way, so the call may not be repeated. Written and read by
    /// forwarders; lives as long as the job could.
    package static func started(_ id: InsertionID) -> String {
        String(concatenating: "gateway/started/", id.description)
    }

    /// Stream of questions about rollouts, consumer group `verifiers`. Written by ingress, read by verifiers; an entry
    /// is deleted when it is acknowledged.
    package static let verifications = "gateway/verifications"
    package static let verifierGroup = "verifiers"

    /// String: bytes of all payloads on the stream of questions, as `jobBytes`.
    package static let verificationBytes = "gateway/verifications/bytes"

    /// String: why questions about rollouts are held up or cut short at a verifier. Written by verifiers, read by
    /// ingress; lives 10 s, renewed as long as it is so.
    package static let verifierTrouble = "gateway/verifications/trouble"

    /// Stream of questions about the request log, consumer group `queriers`. Written by ingress, read by the processes
    /// that keep the log; an entry is deleted when it is acknowledged.
    package static let queries = "gateway/queries"
    package static let querierGroup = "queriers"

    /// String: bytes of all payloads on that stream, as `jobBytes`.
    package static let queryBytes = "gateway/queries/bytes"

    /// String: a process that keeps the request log is alive. As a forwarder's.
    package static let querierPrefix = "gateway/querier/"

    /// String: the fingerprint of the key that seals the contents of this Redis. Written and read by all parts, each
    /// second; lives until an operator deletes it, as to change the key on purpose.
    package static let keyFingerprint = "gateway/key/fingerprint"

    // `gateway/nothing`, which every connection deletes as it logs in, stands in the Redis target: it is a probe, and
    // never a key.

    /// String: a verifier is alive. As a forwarder's.
    package static let verifierPrefix = "gateway/verifier/"

    /// Hash: how much of a Langfuse organisation's rate limit is left, and until when its calls must pause. Written and
    /// read by verifiers; lives until both are over.
    /// - Parameters:
    ///   - account: a fingerprint of the host and the public key.
    ///   - bucket: which of the organisation's limits (the legacy routes have one of their own).
    package static func langfuseLimit(account: String, bucket: String) -> String {
        String(concatenating: "gateway/limit/langfuse/", account, "/", bucket)
    }

    /// List: when something was counted on a rate limit, in milliseconds since 1970, oldest first; and a hash, how much
    /// at each of these times and in `sum`, and the `oldest`. Written and read by the ingress's queueing step; live two
    /// windows.
    /// - Parameter counter: a fingerprint of the rule and of what it counts apart.
    package static func rateSlots(_ counter: String) -> String {
        String(concatenating: "gateway/rate/", counter, "/slots")
    }
    package static func rateAmounts(_ counter: String) -> String {
        String(concatenating: "gateway/rate/", counter, "/amounts")
    }

    /// Sorted set: ingress processes by the time of their last word, in milliseconds since 1970; and a hash, which
    /// rules are in force in each. Written and read by ingress (`/ready`); live 15 s, renewed each 5 s.
    package static let ingresses = "gateway/ingresses"
    package static let ingressRules = "gateway/ingresses/rules"

    /// Stream: what was logged of a rollout, sealed. Written and read by ingress; bounded in entries and bytes, lives a
    /// day after the last entry.
    package static func logs(of rollout: Rollout) -> String {
        String(concatenating: "gateway/logs/", rollout.project, "/", rollout.name)
    }

    /// Hash: the newest entry of a rollout's log that tells its status, sealed, and the log's bytes. Written and read
    /// by ingress; lives as the log.
    package static func status(of rollout: Rollout) -> String {
        String(concatenating: "gateway/status/", rollout.project, "/", rollout.name)
    }

    /// Stream of jobs that were given up, with the reason. Written by forwarders, read by the operator; bounded in
    /// length.
    package static let dead = "gateway/dead"
}

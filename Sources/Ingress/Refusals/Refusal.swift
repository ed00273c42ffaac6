internal import Common
internal import JSON
internal import Policies
internal import Queue

/// A call that was refused before it became a job, as the request log shows it.
struct Refusal: Sendable {
    let id: InsertionID
    var project: String
    var account: Account?
    var path: String
    var rollout: RolloutIDs?
    var metadata: [ResolvedMetadata.Entry] = []
    var model: String?
    var isStream = false
    var bytes = 0
    /// The operator's rules that refused it.
    var rules: [String] = []
    let error: GatewayError

    /// - Parameter path: the request's, without the gateway's own prefixes.
    init(_ id: InsertionID, of project: String, path: String, because error: GatewayError) {
        self.id = id
        self.project = project
        self.path = path
        self.error = error
    }

    /// A job that the queue did not take.
    init(_ job: Job, because error: GatewayError) {
        self.init(job.insertionID, of: job.project, path: job.path, because: error)
        account = job.account.map { Account(id: $0, user: job.user, teams: job.teams) }
        // Many refusals may wait, and a body may be all name of a model.
        (rollout, metadata, model) = (job.rollout, job.metadata.entries, job.model.map { ShownText.beginning(of: $0) })
        (isStream, bytes) = (job.isStream, job.body.count)
        // A limit that it was not over has not refused it.
        rules = error.rule.map { rule in job.charges.filter { $0.rule == rule }.map(\.ruleID) } ?? job.rules.all
    }

    /// The record that the request log makes a row of.
    /// - Parameter end: when the client was told.
    func record(end: Timestamp) -> [UInt8] {
        let shown = ShownText.metadata(metadata)
        var writer = SpanRecordWriter(id, name: "refused", end: end, capacity: 1024)
        writer.text(.insertionID, id.description)
        writer.text(.project, project)
        if let account { writer.text(.account, account.id) }
        if let model { writer.text(.modelAsked, model) }
        writer.bytes(.traceMetadata, described(shown))
        if !shown.isEmpty { writer.bytes(.metadataOrigins, origins(shown)) }
        writer.text(.level, "ERROR")
        writer.text(.errorType, error.code)
        writer.bytes(.request, summary.json)
        return writer.bytes
    }

    private var summary: RequestSummary {
        var summary = RequestSummary()
        (summary.status, summary.ending, summary.path) = (error.status, "refused", ShownText.beginning(of: path))
        (summary.user, summary.teams) = (account?.user, account?.teams ?? [])
        (summary.isStream, summary.requestBytes, summary.rules) = (isStream, bytes, rules)
        return summary
    }

    private func described(_ metadata: [ResolvedMetadata.Entry]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for (name, value) in rollout?.metadata ?? [] { writer.member(name, value) }
            for entry in metadata { writer.member(entry.key, entry.value) }
        }
        return writer.bytes
    }

    private func origins(_ metadata: [ResolvedMetadata.Entry]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for entry in metadata { writer.member(entry.key, entry.origin.name) }
        }
        return writer.bytes
    }
}

extension RecordLog {
    /// Notes a refused call, whose client is told now.
    func note(_ refusal: Refusal) {
        let end = Timestamp.now
        note(refusal.id) { refusal.record(end: end) }
    }
}

extension SpanRecordWriter {
    fileprivate mutating func bytes(_ attribute: SpanAttribute, _ bytes: [UInt8]) {
        begin(attribute, count: bytes.count)
        append(bytes, bytes.indices)
    }
}

internal import Common
internal import HTTPTypes
internal import JSON

extension JobBuilder {
    /// The metadata key under which a request that was queued again names the one that it was.
    static let requeuedFrom = "requeued_from"

    /// The job of a dead letter as one that is to be queued: under an id and for a time of its own, and as the
    /// operator's rules are now. Its answer is kept, as a background job's is. Hooks have seen it before.
    /// - Parameter idempotency: known again, so that a letter becomes one job.
    /// - Throws: what a client that made the request now would be told.
    func requeued(_ old: Job, as id: InsertionID, idempotency: Idempotency) throws(GatewayError) -> Job {
        var job = old
        (job.insertionID, job.deadline) = (id, Deadline(in: timeout))
        (job.responseKey, job.window, job.idempotency) = (Keys.response(id), .max, idempotency)
        (job.rules, job.route, job.charges) = (JobRules(), Route(), [])
        guard let method = HTTPRequest.Method(rawValue: job.method) else { throw .ingressFailed }
        try currentRules.check(job, method)
        let sender = job.account.map { Account(id: $0, user: job.user, teams: job.teams) }
        let content = try? JSONObject.scan(job.body, maximumDepth: maximumJSONDepth)
        try currentRules.decide(&job, with: content, for: sender)
        // Behind the rules, which know the request as its client made it.
        job.metadata.set(Self.requeuedFrom, to: old.insertionID.description, from: .gateway)
        return job
    }
}

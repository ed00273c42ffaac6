import TestSupport

@testable import Common
@testable import Queue
@testable import Redis

/// The queue as the version before batches used it: one script a job.
struct SingleSteps {
    let fixture: QueueFixture
    let limits: JobAdmission.Limits
    let consumer: String

    /// What the script said of a job: its result, and the entry that the consumer was given.
    struct Reply {
        let result: RedisValue
        let given: RedisValue
    }

    func enqueue(_ job: Job, sealed: [UInt8], takes: Bool, renews: Bool) async throws(RedisError) -> Reply {
        let rollout = job.ownRollout.map { KeySpace.local.keys(of: $0) }
        var keys = [Keys.jobs, Keys.jobBytes, Keys.traceBytes]
        keys += [rollout?.set, rollout?.verdict, rollout?.record, rollout?.list, rollout?.count].map { $0 ?? "" }
        if job.isFetchable {
            keys.append(Keys.jobRecord(job.insertionID))
            if let idempotency = job.idempotency { keys.append(idempotency.key) }
        }
        let reply = try await fixture.redis.evaluate(SingleScripts.enqueue, keys: keys) { command in
            command.append(job.insertionID.description)
            command.append(sealed)
            for number in [limits.entries, limits.bytes, Int(limits.rolloutTTL.components.seconds)] {
                command.append(number)
            }
            for text in [
                job.project, job.account ?? "", String(Timestamp.now.milliseconds),
                String(job.deadline.timestamp.milliseconds),
            ] {
                command.append(text)
            }
            command.append(300_000)
            command.append(job.idempotency?.fingerprint ?? [])
            command.append(Int(Idempotency.life.milliseconds))
            command.append("")
            for number in [limits.spanBytes, JobAdmission.Limits.listedRollouts] { command.append(number) }
            let ids = job.rollout.map { [$0.rollout, $0.invocation, $0.experiment, $0.run] } ?? ["", "", "", ""]
            for text in ids + [Keys.jobGroup, takes ? consumer : "", renews ? "1" : ""] { command.append(text) }
        }
        return Reply(result: reply[0], given: reply[2])
    }

    func deliver(_ frame: [UInt8], of job: Job, in delivery: Delivery) async throws(RedisError) -> Bool {
        let id = job.insertionID
        let keys = [Keys.jobs, job.responseKey, Keys.response(id), Keys.started(id)]
        let reply = try await fixture.redis.evaluate(SingleScripts.deliver, keys: keys) { command in
            for text in [Keys.jobGroup, consumer, delivery.entry, id.description] { command.append(text) }
            command.append(frame)
            for number in [Int(job.answerLife.components.seconds), 60_000] { command.append(number) }
        }
        return reply.int == 1
    }

    func finish(_ end: QueueFixture.End) async throws(RedisError) -> Bool {
        let (id, ending) = (end.job.insertionID, end.ending)
        var keys = [
            Keys.jobs, end.responseKey ?? end.job.responseKey, Keys.response(id), Keys.started(id), Keys.jobBytes,
            Keys.dead,
        ]
        keys += [ending.removeFrom?.set, ending.removeFrom?.verdict, ending.removeFrom?.record].map { $0 ?? "" }
        keys += ending.span.map { [Keys.span(id), Keys.traces(project: $0.project), Keys.traceBytes] } ?? ["", "", ""]
        keys.append(ending.removeFrom?.count ?? "")
        if let key = ending.frees { keys.append(key) }
        let reply = try await fixture.redis.evaluate(SingleScripts.finish, keys: keys) { command in
            for text in [Keys.jobGroup, consumer, end.delivery.entry, id.description] { command.append(text) }
            command.append(end.sealed ?? [])
            command.append(Int(ending.answerLife.components.seconds))
            command.append(ending.deadLetterReason ?? "")
            for number in [100, JobStream.deadLetterBytes, end.delivery.size] { command.append(number) }
            command.append(ending.span?.sealed ?? [])
            command.append(Int(ending.span?.life.components.seconds ?? 0))
        }
        return reply.int == 1
    }
}

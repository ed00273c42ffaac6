package import Common
package import Redis

/// The records of jobs whose answers are fetched.
package struct JobRecords: Sendable {
    package struct Record: Sendable, Equatable {
        package var project: String
        /// Nil where the gateway does not know its clients.
        package var account: String?
        /// The time at which the job was queued.
        package var queuedAt: Timestamp
        /// The time after which no client waits for the answer.
        package var deadline: Timestamp
        /// The job's place among those not yet given to forwarders: 1 is the next. 0: a forwarder has it. Nil: unknown.
        package var position: Int?
    }

    /// The record of a job that was just queued.
    package static func record(of job: Job) -> Record {
        Record(
            project: job.project, account: job.account, queuedAt: .now, deadline: job.deadline.timestamp,
            position: nil)
    }

    private let redis: RedisClient

    package init(redis: RedisClient) { self.redis = redis }

    /// - Returns: nil if there is no such job, or not any longer.
    package func record(of id: InsertionID) async throws(RedisError) -> Record? {
        let reply = try await redis.evaluate(
            JobScripts.lookUp, keys: [Keys.jobRecord(id), Keys.jobs], arguments: Keys.jobGroup)
        guard let project = reply[0].string else { return nil }
        let account = reply[1].string ?? ""
        let given = reply[5].int ?? -1
        return Record(
            project: project, account: account.isEmpty ? nil : account,
            queuedAt: Timestamp(clamping: reply[3].int ?? 0),
            deadline: Timestamp(clamping: reply[4].int ?? 0),
            position: given < 0 ? nil : max((reply[2].int ?? 0) - given, 0))
    }

    /// The last sealed frame of a job's answer so far; nil if there is none yet.
    package func lastFrame(of id: InsertionID) async throws(RedisError) -> [UInt8]? {
        let reply = try await redis.send(RedisCommand("XREVRANGE", Keys.response(id), "+", "-", "COUNT", 1))
        return reply[0][1][3].bytes
    }

    /// The first sealed frame of a job's answer; nil if there is none yet.
    package func firstFrame(of id: InsertionID) async throws(RedisError) -> [UInt8]? {
        let reply = try await redis.send(RedisCommand("XRANGE", Keys.response(id), "-", "+", "COUNT", 1))
        return reply[0][1][3].bytes
    }
}

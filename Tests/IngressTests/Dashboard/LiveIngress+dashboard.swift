import Dashboard
import Queue
import TestSupport
import Testing

@testable import Common
@testable import Ingress
@testable import Redis

/// Keys for the dashboard: one of a project, and one of the operator's.
enum DashboardKeys {
    static let client = "sk-client"
    static let admin = "sk-admin"

    static var auth: APIKeyAuth {
        APIKeyAuth(entries: [
            entry("client", key: client, Account(id: "team", projects: .only(["main"]))),
            entry("admin", key: admin, Account(id: "ops", user: "ada", isAdmin: true)),
        ])
    }

    private static func entry(_ id: String, key: String, _ account: Account) -> APIKeyAuth.Entry {
        APIKeyAuth.Entry(
            id: id, digest: APIKeyAuthTests.entry(id, key: key, projects: .all).digest, account: account)
    }
}

extension LiveIngress {
    /// The header with a session's cookie.
    func logIn(with key: String) async throws -> String {
        let answer = try await call(
            "POST", "/dashboard/login",
            headers: ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"],
            body: "key=\(key)")
        return "Cookie: " + (try #require(answer["set-cookie"])).prefix { $0 != ";" }
    }

    /// A job that no client waits for any longer.
    func lostJob(project: String = "main", rollout: String? = "r1") -> Job {
        let ids = rollout.map { RolloutIDs(rollout: $0, invocation: "i1", experiment: "e1", run: "n1", row: "7") }
        return Job(
            insertionID: InsertionIDGenerator().next(), project: project, rollout: ids, account: "team",
            method: "POST", path: "/chat/completions", model: "openai/gpt", deadline: .past,
            responseKey: Keys.responses(ingress: "gone"), body: Array(Self.body.utf8))
    }

    /// Puts a job among the dead letters, as the finishing step does.
    /// - Returns: its entry there.
    @discardableResult
    func bury(_ job: Job, on queue: WorkQueue = .completions, because reason: String = "lost") async throws -> String {
        let sealed = try forwarder.envelope.seal(job.wireBytes, for: .job(job, on: queue))
        var command = RedisCommand("XADD", Keys.dead, "*", "reason", reason, "entry", "1-0", "i")
        command.append(job.insertionID.description)
        command.append("bytes")
        command.append(sealed.count)
        command.append("p")
        command.append(sealed)
        return try await redis.send(command).string ?? ""
    }

    /// How many dead letters there are.
    func letters() async throws -> Int { try await redis.send(RedisCommand("XLEN", Keys.dead)).int ?? 0 }
}

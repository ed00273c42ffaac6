import Common
import NIOConcurrencyHelpers
import Queue
import RequestLog
import TestSupport
import Testing

@testable import Redis

/// Questions about the request log on their way: who may ask, who answers, and what is said when it cannot be answered.
@Suite(.timeLimit(.minutes(5))) struct QueryControllerTests {
    static let targets = [
        "/logs/requests", "/logs/requests/01a203ac-966f-708b-8461-f0092eb2af62", "/logs/metadata", "/metrics/query",
        "/logs/audit",
    ]

    @Test(arguments: targets, ["", "/v1"]) func `a question is answered by those who keep the log`(
        target: String, version: String
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog {
                .json("\($0) \($1.value("metadata.team") ?? "-") \($2.project)")
            } _: {
                for (project, name) in [("", "main"), ("/project_id/sibling", "sibling")] {
                    let path = "\(version)\(project)\(target)?metadata.team=a%20b"
                    let answer = try await ingress.call("GET", path)
                    #expect(answer.status == 200 && answer.text == "\(target) a b \(name)")
                    #expect(answer["content-type"] == "application/json" && answer["cache-control"] == "no-store")
                    let head = try await ingress.call("HEAD", path)
                    #expect(head.status == 200 && head.body.isEmpty)
                }
            }
            let queued = try await ingress.redis.send(RedisCommand("XLEN", Keys.queries))
            #expect(queued.int == 0, "what is answered is off the queue")
        }
    }

    @Test(arguments: targets) func `a key opens its projects log only`(target: String) async throws {
        let key = "Authorization: Bearer " + APIKeyAuthTests.shared + "-a"
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let asked = Counter()
            try await ingress.withRequestLog {
                asked.add()
                return .json($2.project)
            } _: {
                #expect(try await ingress.call("GET", target).status == 401)
                let foreign = try await ingress.call("GET", "/project_id/sibling" + target, headers: [key])
                #expect(foreign.status == 404 && foreign.error?.code == "unknown_project")
                #expect(asked.value == 0)
                #expect(try await ingress.call("GET", target, headers: [key]).text == "main")
            }
        }
    }

    @Test(arguments: targets) func `what is wrong with a question is said`(target: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { _, _, _ in
                throw GatewayError.invalidQuery("limit", "is too large")
            } _: {
                let answer = try await ingress.call("GET", target + "?limit=9")
                #expect(answer.status == 400 && answer.error?.code == "invalid_query", "\(answer.text)")
                #expect(answer["x-should-retry"] == "false")
                let unreadable = try await ingress.call("GET", target + "?limit=%ff")
                #expect(unreadable.status == 400 && unreadable.error?.message.contains("UTF-8") == true)
            }
        }
    }

    struct Fault: Error {}

    @Test func `a fault of the store is not shown`() async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { _, _, _ in
                throw Fault()
            } _: {
                let answer = try await ingress.call("GET", "/logs/requests")
                #expect(answer.status == 500 && answer.error?.code == "internal_error", "\(answer.text)")
            }
        }
    }

    /// An export has no place for an error, so it ends with a broken connection.
    @Test func `an export that fails is cut off`() async throws {
        try await LiveIngress.run { ingress in
            let piece = [UInt8](repeating: 0x2E, count: 200 << 10)
            try await ingress.withRequestLog { _, _, _ in
                RequestLogResponse(
                    contentType: "text/csv",
                    body: .pieces { write in
                        try await write(piece[...])
                        throw Fault()
                    })
            } _: {
                try await ingress.connect { client in
                    try await client.send("GET", "/logs/requests?format=csv")
                    let head = try await client.head()
                    #expect(head.status == 200 && head["content-type"] == "text/csv")
                    await #expect(throws: (any Error).self) { while try await client.chunk() != nil {} }
                }
            }
        }
    }

    @Test(arguments: targets) func `without those who keep the log it is said which to start`(
        target: String
    ) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("GET", target)
            #expect(answer.status == 503 && answer.error?.code == "no_request_log", "\(answer.text)")
            #expect(answer.error?.message.contains("`metadata-gateway tracestore`") == true)
            #expect(answer["retry-after"] == "5")
            #expect(try await !ingress.keys().contains(Keys.queries), "nothing is queued")
        }
    }

    @Test(arguments: targets) func `without a log it is said how to turn it on`(target: String) async throws {
        try await LiveIngress.run({ $0.settings.requestLog.place = .off }) { ingress in
            let answer = try await ingress.call("GET", target)
            #expect(answer.status == 404 && answer.error?.code == "request_log_off", "\(answer.text)")
            #expect(answer.error?.message.contains("REQUEST_LOG=embedded") == true)
        }
    }

    @Test(arguments: targets) func `it is read`(target: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call("POST", target, body: "{}")
            #expect(answer.status == 405 && answer["allow"] == "GET, HEAD")
        }
    }

    /// What was there before the request log: a rollout's log, and Prometheus' page.
    @Test func `its neighbours stay`() async throws {
        try await LiveIngress.run { ingress in
            let log = try await ingress.call("GET", "/logs?tags=rollout_id:r1")
            #expect(log.text == #"{"entries":[]}"#)
            let metrics = try await ingress.call("GET", "/metrics")
            #expect(metrics.text.hasPrefix("# HELP "))
        }
    }

    @Test func `without Redis it is said`() async throws {
        try await LiveIngress.run { ingress in
            ingress.server.kill()
            let answer = try await ingress.call("GET", "/logs/requests")
            #expect(answer.status == 503 && answer.error?.code == "queue_unavailable", "\(answer.text)")
        }
    }
}

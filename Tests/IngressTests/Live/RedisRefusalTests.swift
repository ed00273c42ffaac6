import Common
import TestSupport
import Testing

/// Redis answers, and refuses: clients, `/ready` and the operator are told its code and what to do.
@Suite(.timeLimit(.minutes(5))) struct RedisRefusalTests {
    enum State: String, CaseIterable, Sendable {
        case replica = "READONLY"
        case replicaWithoutPrimary = "MASTERDOWN"
        case cannotSave = "MISCONF"
        case fullMemory = "OOM"
        case tooFewReplicas = "NOREPLICAS"
        case noPermission = "NOPERM"
        case passwordSet = "NOAUTH"
        case passwordChanged = "WRONGPASS"

        /// The password that the server has at first.
        var password: String? { self == .passwordChanged ? "old" : nil }

        var codes: [String] { self == .replicaWithoutPrimary ? ["MASTERDOWN", "READONLY"] : [rawValue] }

        /// Something of the advice.
        var advice: String {
            switch self {
            case .replica, .replicaWithoutPrimary: "REDIS_HOST must lead to"
            case .cannotSave: "Free its disk"
            case .fullMemory: "maxmemory"
            case .tooFewReplicas: "min-replicas-to-write"
            case .noPermission: "ACL SETUSER"
            case .passwordSet, .passwordChanged: "REDIS_PASSWORD"
            }
        }

        func begin(_ server: RedisServer) async throws {
            switch self {
            case .replica: try await server.administer(["REPLICAOF", "127.0.0.1", "1"])
            case .replicaWithoutPrimary:
                try await server.administer(["CONFIG", "SET", "replica-serve-stale-data", "no"])
                try await server.administer(["REPLICAOF", "127.0.0.1", "1"])
            case .cannotSave: try await server.breakSaving()
            case .fullMemory: try await server.administer(["CONFIG", "SET", "maxmemory", "1"])
            case .tooFewReplicas: try await server.administer(["CONFIG", "SET", "min-replicas-to-write", "1"])
            case .noPermission: try await server.administer(["ACL", "SETUSER", "default", "-@write"])
            case .passwordSet, .passwordChanged:
                try await server.administer(["CONFIG", "SET", "requirepass", "new"], password: password)
                try await server.administer(["CLIENT", "KILL", "TYPE", "normal"], password: "new")
            }
        }

        func end(_ server: RedisServer) async throws {
            switch self {
            case .replica, .replicaWithoutPrimary: try await server.administer(["REPLICAOF", "NO", "ONE"])
            case .cannotSave: try await server.administer(["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"])
            case .fullMemory: try await server.administer(["CONFIG", "SET", "maxmemory", "0"])
            case .tooFewReplicas: try await server.administer(["CONFIG", "SET", "min-replicas-to-write", "0"])
            case .noPermission: try await server.administer(["ACL", "SETUSER", "default", "+@all"])
            case .passwordSet, .passwordChanged:
                try await server.administer(["CONFIG", "SET", "requirepass", password ?? ""], password: "new")
            }
        }

        func isTold(in text: String) -> Bool { codes.contains { text.contains("(\($0)): ") } && text.contains(advice) }
    }

    @Test(arguments: State.allCases) func `is told with its remedy until it is over`(state: State) async throws {
        let prepare = { @Sendable (plan: inout LiveIngress.Plan) in
            plan.redis.password = state.password.map(SecretString.init)
        }
        try await LiveIngress.run(prepare) { ingress in
            try await eventually { try await ingress.call("GET", "/ready").status == 200 }
            try await state.begin(ingress.server)
            try await eventually {
                let ready = try await ingress.call("GET", "/ready")
                return ready.status == 503 && state.isTold(in: ready.text)
            }
            var requests = [
                ("POST", LiveIngress.path, LiveIngress.body),
                ("POST", "/logs", #"{"tags":["rollout_id:r1"],"message":"m"}"#),
            ]
            // Reading is not refused, unless everything is.
            if [.replica, .passwordSet, .passwordChanged].contains(state) {
                requests.append(("GET", "/status?rollout_id=r1", ""))
            }
            for (method, path, body) in requests {
                let answer = try await ingress.call(method, path, body: body)
                #expect(answer.status == 503 && answer.error?.code == "queue_unavailable", "\(path): \(answer.text)")
                #expect(answer.error.map { state.isTold(in: $0.message) } == true, "\(path): \(answer.text)")
                #expect(answer["retry-after"] != nil && answer["x-should-retry"] == nil, "nothing waits for it")
                #expect(!answer.text.contains("new") || state.password == nil, "no secret is told")
            }
            #expect(try await ingress.call("GET", "/health").status == 200)
            try await state.end(ingress.server)
            try await eventually { (try? await ingress.forwarder.join()) != nil }
            try await eventually { try await ingress.call("GET", "/ready").status == 200 }
            #expect(try await ingress.queued() == 0, "what was refused is not queued")
        }
    }
}

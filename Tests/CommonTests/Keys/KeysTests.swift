import Testing

@testable import Common

@Suite struct KeysTests {
    private static let hostile = [
        "gateway", "jobs", "dead", "*", "{x}", "a'b\"c", "a b", "redis.call", "__proto__", "..", "%2f", "\\", ":",
        "project", "é", "🙂",
        String(repeating: "x", count: 128),
    ]

    /// All keys and channels that no user chooses, with names that a user could have given.
    private static let own: [String] =
        hostile.flatMap { name in
            let rollout = Rollout(name, project: name)
            return [
                Keys.verdict(of: rollout), Keys.verifying(of: rollout), Keys.verified(of: rollout),
                Keys.ended(of: rollout), Keys.rolloutRecord(of: rollout), Keys.count(of: rollout),
                Keys.logs(of: rollout), Keys.status(of: rollout), Keys.rollouts(project: name),
                Keys.traces(project: name), Keys.responses(ingress: name), Keys.wakeUp(ingress: name),
                Keys.forwarder(name), Keys.verifierPrefix + name, Keys.querierPrefix + name,
                Keys.langfuseLimit(account: name, bucket: name), Keys.rateSlots(name), Keys.rateAmounts(name),
                Keys.idempotency(Array(name.utf8)),
            ]
        }
        + [
            Keys.requests, Keys.requestBytes, Keys.requestsLost, Keys.exportedProjects, Keys.traceTrouble,
            Keys.traceBytes, Keys.keptTraces, Keys.keptTraceBytes, Keys.jobs, Keys.jobBytes, Keys.kept,
            Keys.cancellations, Keys.credits, Keys.verifications, Keys.verificationBytes, Keys.verifierTrouble,
            Keys.queries, Keys.queryBytes, Keys.keyFingerprint, Keys.ingresses, Keys.ingressRules, Keys.dead,
        ]
        + [Keys.span, Keys.jobKey, Keys.response, Keys.jobRecord, Keys.cancelled, Keys.credit, Keys.started].map {
            $0(.numbered(1))
        }

    @Test func `a rollout of the default project goes by its bare name`() {
        for rollout in Self.hostile {
            #expect(KeySpace(defaultProject: "p").set(of: Rollout(rollout, project: "p")) == rollout)
        }
    }

    @Test func `no user's key is one of ours`() {
        #expect(Self.own.allSatisfy { $0.contains("/") })
        let users = Self.hostile.flatMap { rollout in
            Self.hostile.map { KeySpace(defaultProject: "jobs").set(of: Rollout(rollout, project: $0)) }
        }
        #expect(Set(users).isDisjoint(with: Self.own))
    }

    @Test func `no two rollouts share a key`() {
        let keys = Self.hostile.flatMap { rollout in
            Self.hostile.map { KeySpace(defaultProject: "jobs").set(of: Rollout(rollout, project: $0)) }
        }
        #expect(Set(keys).count == keys.count)
    }

    /// What the above rests on: no id of a path holds a slash, however it is written.
    @Test(arguments: ["gateway%2Fjobs", "gateway%2fdead", "project%2Fp%2Fr", "%2F"])
    func `no ID holds a slash`(_ id: String) {
        let path = "/rollout_id/\(id)/invocation_id/i/experiment_id/e/run_id/r/row_id/w/chat/completions"
        #expect(throws: GatewayError.self) { try GatewayPath(path) }
        #expect(throws: GatewayError.self) { try GatewayPath("/project_id/\(id)/chat/completions") }
    }
}

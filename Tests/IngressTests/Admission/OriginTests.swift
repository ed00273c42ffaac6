import Common
import TestSupport
import Testing

/// Where the gateway serves its own machine alone and asks nobody for a key, the browser of whoever works there must not let other sites' pages in.
@Suite(.timeLimit(.minutes(1))) struct OriginTests {
    @Test(arguments: ["http://evil.example", "null", "http://127.0.0.1.evil.example", "https://localhost.evil.example:4000"])
    func aPageOfAnotherSiteIsKeptOut(origin: String) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            let answer = try await ingress.call("POST", LiveIngress.path, headers: ["Origin: \(origin)"], body: LiveIngress.body)
            #expect(answer.status == 403 && answer.error?.code == "foreign_origin")
            #expect(try await ingress.keys() == before)
        }
    }

    @Test(arguments: ["http://localhost:3000", "http://127.0.0.1:4000", "http://[::1]"])
    func aPageOfThisMachineIsLetIn(origin: String) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, headers: ["Origin: \(origin)"], body: LiveIngress.body)
                try await ingress.forwarder.answer(next: 1) { _ in "{}" }
                #expect(try await client.answer().status == 200)
            }
        }
    }

    /// Who must show a key has one, whatever page sends it.
    @Test func withKeysTheOriginDecidesNothing() async throws {
        try await LiveIngress.run({ $0.auth = APIKeyAuthTests.auth }) { ingress in
            let answer = try await ingress.call("POST", LiveIngress.path, headers: ["Origin: http://evil.example"], body: LiveIngress.body)
            #expect(answer.status == 401)
        }
    }
}

import Common
import Subprocess
import TestSupport
import Testing

/// Load balancing and fallback by metadata: real processes, scripted providers, and the rules that TrueFoundry's
/// documentation shows.
@Suite(.timeLimit(.minutes(5))) struct RoutingTests {
    /// Answers as the account in the call's path, with the status that the question asks of that account.
    private static func provide(_ connection: ScriptedServer.Connection) async throws {
        while let request = try await connection.request() {
            let account = request.split(separator: "/").dropFirst().first.map(String.init) ?? ""
            guard !request.contains("\(account)-garbles") else { return try await connection.write("not HTTP\r\n\r\n") }
            let status = ["500", "429", "503"].first { request.contains("\(account)-fails-\($0)") } ?? "200"
            let body =
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"by \#(account)"},"finish_reason":"stop"}]}"#
            try await connection.write(
                "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }
    }

    private func withGateway(
        _ rules: String = PolicyFixture.routes, _ body: (_ port: Int) async throws -> Void
    ) async throws {
        try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            try await ScriptedServer.run {
                try await Self.provide($0)
            } _: { provider in
                let accounts = ["bedrock", "azure", "aws"].map { name in
                    #""\#(name)": {"base_url": "http://127.0.0.1:\#(provider.port)/\#(name)", "key": "sk-\#(name)"}"#
                }
                try fleet.folder.write("{\"accounts\": {\(accounts.joined(separator: ", "))}}", to: "secrets.yaml")
                try fleet.folder.write(rules, to: "gateway.yaml")
                try await fleet.forwarder { _ in try await fleet.ingress { _, port in try await body(port) } }
            }
        }
    }

    private func ask(
        _ model: String, _ text: String = "Hello!", customer: String?, stream: Bool = false, on client: RawClient
    ) async throws -> HTTPAnswer {
        try await client.call(
            "POST", ServeTests.path, headers: customer.map { [#"X-TFY-METADATA: {"customer-id":"\#($0)"}"#] } ?? [],
            body: ServeTests.body(model, text, stream: stream))
    }

    /// How many of so many calls went to one of the two targets.
    private func callsToAzure(of count: Int, on client: RawClient) async throws -> Int {
        var azure = 0
        for _ in 0..<count {
            let answer = try await ask("bedrock/llama3", customer: "customer1", on: client)
            #expect(answer["x-tfy-applied-configurations"] == #"{"load_balance":["llama-bedrock-customer1"]}"#)
            let isAzure = answer["x-tfy-resolved-model"] == "azure/bedrock-llama3"
            #expect(isAzure || answer["x-tfy-resolved-model"] == "aws/bedrock-llama3")
            #expect(answer.status == 200 && answer.text.contains(isAzure ? "by azure" : "by aws"))
            if isAzure { azure += 1 }
        }
        return azure
    }

    @Test func `one customer's calls are shared among the targets`() async throws {
        try await withGateway { port in
            try await withRawClient(to: port) { client in
                let azure = try await callsToAzure(of: 400, on: client)
                // Six standard deviations of 400 draws.
                #expect(abs(azure - 240) < 60, "\(azure)")
                for customer in ["customer2", nil] {
                    let answer = try await ask("bedrock/llama3", customer: customer, on: client)
                    #expect(answer.text.contains("by bedrock") && answer["x-tfy-applied-configurations"] == nil)
                    #expect(answer["x-tfy-resolved-model"] == "bedrock/llama3")
                }
            }
        }
    }

    @Test(arguments: [false, true]) func `one customer's calls fall back`(stream: Bool) async throws {
        try await withGateway { port in
            try await withRawClient(to: port) { client in
                for status in ["500", "429"] {
                    let text = "bedrock-fails-\(status) azure-fails-500"
                    let answer = try await ask(
                        "bedrock/fallback", text, customer: "customer1", stream: stream, on: client)
                    #expect(answer.status == 200 && answer.text.contains("by aws"))
                    #expect(answer["x-tfy-resolved-model"] == "aws/llama3" && answer["x-tfy-attempts"] == "3")
                    #expect(
                        answer["x-tfy-applied-configurations"] == #"{"fallback":["llama-bedrock-customer1-fallback"]}"#)
                    // Not for another customer, and not for another status.
                    let other = try await ask(
                        "bedrock/fallback", text, customer: "customer2", stream: stream, on: client)
                    #expect(other.status == Int(status) && other.text.contains("by bedrock"))
                }
                let other = try await ask(
                    "bedrock/fallback", "bedrock-fails-503", customer: "customer1", stream: stream, on: client)
                #expect(other.status == 503 && other["x-tfy-attempts"] == "1")
            }
        }
    }

    /// An error of the gateway's own says what was called before it, as an answer does.
    @Test func `an error of the gateways says what was called`() async throws {
        try await withGateway { port in
            try await withRawClient(to: port) { client in
                let answer = try await ask(
                    "bedrock/fallback", "bedrock-fails-500 azure-garbles", customer: "customer1", on: client)
                #expect(answer.status == 502 && answer.error?.code == "malformed_answer", "\(answer.text)")
                #expect(answer["x-tfy-resolved-model"] == "azure/llama3" && answer["x-tfy-attempts"] == "2")
                #expect(
                    answer["x-tfy-applied-configurations"] == #"{"fallback":["llama-bedrock-customer1-fallback"]}"#)
            }
        }
    }

    /// A refusal of the gateway's own is not a failure of a provider: nothing falls back after it, and nothing is
    /// called. A limit looks at the model that is asked for, not at the one that a call falls back to.
    @Test func `a refusal by a limit does not fall back`() async throws {
        let limits = """

            ---
            type: gateway-rate-limiting-config
            rules:
              - {id: one, when: {models: [bedrock/fallback]}, limit_to: 1, unit: requests_per_day}
              - {id: target, when: {models: [azure/llama3]}, limit_to: 1, unit: requests_per_day}
            """
        try await withGateway(PolicyFixture.routes + limits) { port in
            try await withRawClient(to: port) { client in
                let first = try await ask("bedrock/fallback", "bedrock-fails-429", customer: "customer1", on: client)
                #expect(first.status == 200 && first["x-tfy-attempts"] == "2")
                #expect(
                    first["x-tfy-applied-configurations"]
                        == #"{"rate_limit":["one"],"fallback":["llama-bedrock-customer1-fallback"]}"#)
                let refused = try await ask("bedrock/fallback", customer: "customer1", on: client)
                #expect(refused.status == 429 && refused.error?.code == "rate_limit_exceeded")
                #expect(refused.text.contains(#""rule":"one""#))
                #expect(refused["x-tfy-applied-configurations"] == #"{"rate_limit":["one"]}"#)
                #expect(refused["x-tfy-attempts"] == nil && refused["x-tfy-resolved-model"] == nil)
                let direct = try await ask("azure/llama3", customer: "customer1", on: client)
                #expect(direct.status == 200, "the call that fell back to it was not counted on it")
            }
        }
    }

    /// A target without a key of the server's can never be called.
    @Test func `a target without a key is refused at the start`() async throws {
        try await ProgramFolder.with { folder in
            try folder.write(PolicyFixture.routes, to: "gateway.yaml")
            let ending = try await folder.run(
                "metadata-gateway", arguments: ["check"], environment: ["CONFIG_PATH": "gateway.yaml"])
            #expect(ending.code == 78)
            #expect(
                ending.output.contains("gateway.yaml:10:17: error: calls cannot go to `azure/bedrock-llama3`"),
                "\(ending.output)")
            #expect(ending.output.contains("calls cannot go to `aws/llama3`"))
        }
    }
}

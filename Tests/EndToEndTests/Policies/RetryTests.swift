import NIOConcurrencyHelpers
import Subprocess
import TestSupport
import Testing

/// Retries, streams that fall back before their content, and what rules change of a request: real processes and a
/// scripted provider.
@Suite(.timeLimit(.minutes(5))) struct RetryTests {
    private static let rules = """
        type: gateway-load-balancing-config
        rules:
          - id: patient
            when: {models: ["azure/patient"]}
            load_balance_targets:
              - target: azure/patient
                retry_config: {attempts: 2, delay: 1, on_status_codes: ["503"]}
                fallback_status_codes: ["503", stream_error, error_in_200]
                override_params: {temperature: 0.25}
                headers_override: {set: {accept: text/x-changed}}
              - {target: aws/patient, weight: 0}
        """
    private static let role =
        #"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"# + "\n\n"
    private static let content =
        #"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"

    /// Answers as the question says of the account in the call's path.
    private static func provide(_ connection: ScriptedServer.Connection, _ calls: Calls) async throws {
        while let request = try await connection.request() {
            let account = request.split(separator: "/").dropFirst().first.map(String.init) ?? ""
            calls.note(account, request)
            if request.contains("\(account)-fails-early") {
                try await connection.write(ScriptedServer.Connection.events + "Connection: close\r\n\r\n")
                try await connection.write(role + "data: {\"error\":{\"message\":\"overloaded\"}}\n\n")
                return
            }
            if request.contains("\"stream\": true") {
                try await connection.write(
                    ScriptedServer.Connection.events + "Connection: close\r\n\r\n" + role + content)
                return
            }
            let status = request.contains("\(account)-fails-503") ? "503" : "200"
            let body =
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"by \#(account)"},"finish_reason":"stop"}]}"#
            try await connection.write(
                "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }
    }

    private func withGateway(_ body: (RawClient, Calls) async throws -> Void) async throws {
        try await GatewayFleet.run(environment: ["CONFIG_PATH": "gateway.yaml"]) { fleet in
            let calls = Calls()
            try await ScriptedServer.run {
                try await Self.provide($0, calls)
            } _: { provider in
                let accounts = ["azure", "aws"].map { name in
                    #""\#(name)": {"base_url": "http://127.0.0.1:\#(provider.port)/\#(name)", "key": "sk-\#(name)"}"#
                }
                try fleet.folder.write("{\"accounts\": {\(accounts.joined(separator: ", "))}}", to: "secrets.yaml")
                try fleet.folder.write(Self.rules, to: "gateway.yaml")
                try await fleet.forwarder { _ in
                    try await fleet.ingress { _, port in
                        try await withRawClient(to: port) { try await body($0, calls) }
                    }
                }
            }
        }
    }

    private func ask(
        _ model: String, _ text: String, headers: [String] = [], stream: Bool = false, on client: RawClient
    ) async throws -> HTTPAnswer {
        try await client.call(
            "POST", ServeTests.path, headers: headers, body: ServeTests.body(model, text, stream: stream))
    }

    @Test func `a failed call is made again and then goes on`() async throws {
        try await withGateway { client, calls in
            let answer = try await ask("azure/patient", "azure-fails-503", on: client)
            #expect(answer.status == 200 && answer.text.contains("by aws") && answer["x-tfy-attempts"] == "4")
            #expect(answer["x-tfy-resolved-model"] == "aws/patient")
            let made = calls.take()
            #expect(made.map(\.account) == ["azure", "azure", "azure", "aws"])
            #expect(made[0].request.contains(#""temperature":0.25"#) && made[0].request.contains("text/x-changed"))
            #expect(!made[3].request.contains("temperature") && !made[3].request.contains("text/x-changed"))
            // Where all fail, each target has had its turn, once.
            let failed = try await ask("azure/patient", "azure-fails-503 aws-fails-503", on: client)
            #expect(failed.status == 503 && failed["x-tfy-attempts"] == "4" && calls.take().count == 4)
        }
    }

    @Test func `a client may ask for retries within the bound`() async throws {
        try await withGateway { client, calls in
            let text = "aws-fails-503"
            #expect(try await ask("aws/other", text, on: client).status == 503)
            #expect(calls.take().count == 1, "nothing is made again that no rule and no header names")
            let header = #"x-tfy-retry-config: {"attempts":2,"delay":1,"onStatusCodes":[503]}"#
            let answer = try await ask("aws/other", text, headers: [header], on: client)
            #expect(answer.status == 503 && answer["x-tfy-attempts"] == "3" && calls.take().count == 3)
            let greedy = try await ask(
                "aws/other", text, headers: [#"x-tfy-retry-config: {"attempts":6}"#], on: client)
            #expect(greedy.status == 400 && greedy.text.contains("from 0 to 5") && calls.take().isEmpty)
        }
    }

    @Test func `a stream that fails before its content goes on`() async throws {
        try await withGateway { client, calls in
            let answer = try await ask("azure/patient", "azure-fails-early", stream: true, on: client)
            #expect(answer.status == 200)
            #expect(answer.text == Self.role + Self.content)
            #expect(answer["x-tfy-resolved-model"] == "aws/patient" && answer["x-tfy-attempts"] == "2")
            #expect(calls.take().map(\.account) == ["azure", "aws"])
            // No rule is for this model.
            let other = try await ask("azure/other", "azure-fails-early", stream: true, on: client)
            #expect(other.status == 200 && other.text.hasPrefix(Self.role) && other.text.contains("overloaded"))
            #expect(calls.take().map(\.account) == ["azure"])
        }
    }

    @Test(arguments: ["x-tfy-request-timeout", "x-tfy-ttft-timeout-ms"])
    func `times are the clients`(name: String) async throws {
        try await withGateway { client, _ in
            let isStream = name == "x-tfy-ttft-timeout-ms"
            let slow = "mock/echo?delay_ms=60000"
            let answer = try await ask(slow, "Hello!", headers: ["\(name): 50"], stream: isStream, on: client)
            #expect(answer.status == (isStream ? 408 : 504), "\(answer.text)")
            let wrong = try await ask(slow, "Hello!", headers: ["\(name): 1s"], on: client)
            #expect(wrong.status == 400 && wrong.text.contains(name))
        }
    }
}

/// The calls that a provider has seen.
private final class Calls: Sendable {
    struct Call: Sendable {
        var account: String
        var request: String
    }

    private let calls = NIOLockedValueBox<[Call]>([])

    func note(_ account: String, _ request: String) {
        calls.withLockedValue { $0.append(Call(account: account, request: request)) }
    }

    /// Those since the last look.
    func take() -> [Call] {
        calls.withLockedValue { calls in
            defer { calls = [] }
            return calls
        }
    }
}

import Common
import JSON
import Policies
import TestSupport
import Testing

@testable import Ingress

/// What `POST /v1/rules/explain` tells of logging and of calls is what the job of the same request has.
@Suite(.timeLimit(.minutes(5))) struct ExplainedJobTests {
    private func explain(_ ingress: LiveIngress, _ body: String) async throws -> JSONObject {
        let answer = try await ingress.call("POST", "/v1/rules/explain", body: body)
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONObject.scan(answer.body, maximumDepth: 12)
    }

    private func text(_ object: JSONObject, _ name: String) -> String {
        object.member(name).map { String(decoding: object.bytes[$0.value], as: UTF8.self) } ?? ""
    }

    /// The job of a request with these headers.
    private func job(_ ingress: LiveIngress, _ headers: [String]) async throws -> Job {
        async let reply = ingress.call("POST", LiveIngress.path, headers: headers, body: LiveIngress.body)
        let taken = try await ingress.forwarder.take()
        try await ingress.forwarder.answer(taken, body: "{}")
        #expect(try await reply.status == 200)
        return taken.job
    }

    private static let logging = """
        type: gateway-logging-config
        rules:
          - {id: mail, when: {metadata: {team: sales}}, log: true, redact_with: {presets: [email]}}
          - {id: staff, when: {models: [openai/gpt]}, log: true, redact_with: {custom_patterns: ["EMP-[0-9]+"]}}
          - {id: legal, when: {metadata: {team: legal}}, log: false}
        """

    @Test(arguments: RequestLoggingMode.allCases) func logging(mode: RequestLoggingMode) async throws {
        let policies = try PolicyFixture.read(Self.logging)
        try await LiveIngress.run {
            $0.policies = policies
            $0.settings.http.requestLogging = mode
        } _: { ingress in
            for team in ["sales", "legal", "other"] {
                for isOff in [false, true] {
                    let config = #"{"enabled": \#(!isOff)}"#
                    let said = text(
                        try await explain(
                            ingress,
                            #"{"model": "openai/gpt", "headers": {"x-tfy-metadata": "{\"team\":\"\#(team)\"}","#
                                + #""x-tfy-logging-config": "{\"enabled\": \#(!isOff)}"}}"#), "logging")
                    let job = try await job(
                        ingress, [#"X-TFY-METADATA: {"team":"\#(team)"}"#, "X-TFY-LOGGING-CONFIG: \(config)"])
                    guard case .redacted(let redaction) = job.logging else {
                        #expect(job.isWithheld && said.contains(#""content":"withheld""#), "\(said)")
                        let why =
                            team == "legal"
                            ? #"{"rule":"legal"}"#
                            : mode == .never
                                ? #"{"setting":"REQUEST_LOGGING_MODE","value":"NEVER"}"#
                                : #"{"switch":"x-tfy-logging-config"}"#
                        #expect(said.contains(#""decided_by":\#(why),"#), "\(said)")
                        continue
                    }
                    let presets = redaction.presets.map { "\"\($0.text)\"" }.joined(separator: ",")
                    #expect(
                        said.hasPrefix(
                            #"{"content":"redacted","decided_by":{"setting":"REQUEST_LOGGING_MODE","#
                                + #""value":"\#(mode.rawValue)"},"redact_with":{"presets":[\#(presets)],"#
                                + #""custom_patterns":[{"pattern":"EMP-[0-9]+","redaction_text":"[redacted]"}]}"#
                        ), "\(said)")
                    #expect(redaction.patterns.map(\.text.text) == ["EMP-[0-9]+"])
                }
            }
        }
    }

    /// Behind a proxy that writes the traces the question is refused as the request is.
    @Test func `a refusal behind a proxy is told`() async throws {
        try await LiveIngress.run({ $0.settings.backends.litellmTraces = true }) { ingress in
            let question = #"{"model": "openai/gpt", "metadata": {"tfy_log_request": "false"}}"#
            #expect(
                text(try await explain(ingress, question), "decision")
                    == #"{"outcome":"refused","status":400,"code":"always_logged","rule":null}"#)
            let answer = try await ingress.call(
                "POST", LiveIngress.path, headers: [#"X-TFY-METADATA: {"tfy_log_request": "false"}"#],
                body: LiveIngress.body)
            #expect(answer.status == 400 && answer.error?.code == "always_logged")
        }
    }

    @Test func retries() async throws {
        let policies = try PolicyFixture.read(
            """
            type: gateway-load-balancing-config
            rules:
              - id: patient
                load_balance_targets:
                  - target: azure/gpt
                    retry_config: {attempts: 2, delay: 50, on_status_codes: ["503", "429", connect_error]}
                  - {target: openai/gpt, weight: 0}
            ---
            type: gateway-fallback-config
            rules:
              - id: last
                when: {response_status_codes: [500]}
                fallback_models: [aws/gpt, {target: p/m, retry_config: {attempts: 1}}]
            """)
        try await LiveIngress.run({ $0.policies = policies }) { ingress in
            let explanation = try await explain(ingress, #"{"model": "openai/gpt"}"#)
            let job = try await job(ingress, [])
            #expect(job.route.steps.map(\.model) == ["azure/gpt", "openai/gpt", "aws/gpt", "p/m"])
            #expect(
                job.route.steps.map(\.retry) == [
                    .init(attempts: 2, delay: 50, failures: [.status(503), .status(429), .connectError]), nil, nil,
                    .init(attempts: 1, delay: 100, failures: [.status(429), .status(500), .status(502), .status(503)]),
                ])
            let balancing = text(explanation, "load_balancing")
            #expect(
                balancing.contains(
                    #""retry_config":{"attempts":2,"delay":50,"on_status_codes":["429","503","connect_error"]}},"#
                        + #"{"target":"openai/gpt""#
                ), "\(balancing)")
            #expect(balancing.hasSuffix(#""retry_config":null}]}]"#), "\(balancing)")
            let fallback = text(explanation, "fallback")
            #expect(
                fallback.contains(
                    #""fallback_models":[{"target":"aws/gpt","retry_config":null},{"target":"p/m","#
                        + #""retry_config":{"attempts":1,"delay":100,"on_status_codes":["429","500","502","503"]}}]"#
                ), "\(fallback)")
        }
    }
}

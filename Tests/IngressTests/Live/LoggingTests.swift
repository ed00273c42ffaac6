import Common
import Policies
import TestSupport
import Testing

@testable import Ingress

/// Whether requests may stand in traces, by each way into the queue.
@Suite(.timeLimit(.minutes(5))) struct LoggingTests {
    private static let deny = """
        type: gateway-logging-config
        rules:
          - {id: legal, when: {metadata: {team: legal}}, log: false}
          - {id: mail, when: {metadata: {team: sales}}, log: true, redact_with: {presets: [email]}}
        """
    static let off = [#"X-TFY-LOGGING-CONFIG: {"enabled": false}"#]
    private static let offByMetadata = [#"X-TFY-METADATA: {"tfy_log_request": "false", "team": "red"}"#]
    private static let legal = [#"X-TFY-METADATA: {"team": "legal"}"#]
    private static let sales = [#"X-TFY-METADATA: {"team": "sales"}"#]

    /// - Returns: the jobs of requests with these headers, by this way.
    private func jobs(
        _ headers: [[String]], _ way: MetadataTests.Way, mode: RequestLoggingMode = .headerControlled,
        rules: String = ""
    ) async throws -> [Job] {
        let policies = try PolicyFixture.read(rules)
        return try await LiveIngress.run {
            $0.settings.http.requestLogging = mode
            $0.policies = policies
        } _: { ingress in
            var jobs: [Job] = []
            for (number, headers) in headers.enumerated() {
                // Another key each time, or it would be the same job.
                let own = way.headers.map { $0.replacing("k1", with: "k\(number)") }
                async let answer = ingress.call("POST", way.target, headers: own + headers, body: LiveIngress.body)
                let taken = try await ingress.forwarder.take()
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await [200, 202].contains(answer.status))
                jobs.append(taken.job)
            }
            return jobs
        }
    }

    /// Either header that says no counts, and the switch is not metadata.
    @Test(arguments: MetadataTests.ways) func `a header keeps a request out of the traces`(
        way: MetadataTests.Way
    ) async throws {
        let jobs = try await jobs(
            [
                [], Self.off, Self.offByMetadata, [#"X-TFY-METADATA: {"tfy_log_request": "true"}"#] + Self.off,
                [#"X-TFY-LOGGING-CONFIG: {"enabled": true}"#] + Self.offByMetadata,
                [#"X-TFY-LOGGING-CONFIG: {"enabled": true}"#, #"X-TFY-METADATA: {"tfy_log_request": "true"}"#],
            ], way)
        #expect(jobs.map(\.isWithheld) == [false, true, true, true, true, false])
        #expect(jobs.map { $0.metadata.entries.map(\.tag) } == [[], [], ["team:red"], [], ["team:red"], []])
    }

    /// A denial of the operator's counts first, then the mode, then the header.
    @Test(arguments: MetadataTests.ways) func `precedence`(way: MetadataTests.Way) async throws {
        let asked = [[], Self.off, Self.legal, Self.sales]
        let redacted = ContentLogging.redacted(LogRedaction(presets: ["email"]))
        let expected: [(RequestLoggingMode, [ContentLogging])] = [
            (.headerControlled, [.whole, .withheld, .withheld, redacted]),
            (.always, [.whole, .whole, .withheld, redacted]), (.never, Array(repeating: .withheld, count: 4)),
        ]
        for (mode, logging) in expected {
            #expect(try await jobs(asked, way, mode: mode, rules: Self.deny).map(\.logging) == logging, "\(mode)")
        }
    }

    @Test(arguments: MetadataTests.ways) func `a mistake is a 400 that leaves nothing behind`(
        way: MetadataTests.Way
    ) async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            for (header, param, word) in [
                (#"X-TFY-LOGGING-CONFIG: {"enabled": "no"}"#, "x-tfy-logging-config", "true or false"),
                (#"X-TFY-LOGGING-CONFIG: {"enable": false}"#, "x-tfy-logging-config", "not known"),
                (#"X-TFY-METADATA: {"tfy_log_request": "off"}"#, "x-tfy-metadata", "`tfy_log_request`"),
            ] {
                let answer = try await ingress.call(
                    "POST", way.target, headers: way.headers + [header], body: LiveIngress.body)
                #expect(answer.status == 400 && answer.error?.code == "invalid_metadata", "\(answer.text)")
                #expect(answer.error?.param == param && answer.error?.message.contains(word) == true, "\(answer.text)")
            }
            #expect(try await ingress.keys() == before)
        }
    }

    /// The switch is not metadata that a rule could miss.
    @Test func `a rule on unknown keys does not see the switch`() async throws {
        let rules = "type: gateway-metadata-config\nallow_unknown_keys: false\nkeys: {team: {}}\n"
        let jobs = try await jobs([Self.offByMetadata], MetadataTests.Way(), rules: rules)
        #expect(jobs.map(\.isWithheld) == [true])
    }

    /// The proxy writes the traces, so what it is sent stands there.
    @Test(arguments: MetadataTests.ways) func `behind a proxy that traces a client's no is refused`(
        way: MetadataTests.Way
    ) async throws {
        for (mode, status) in [(RequestLoggingMode.headerControlled, 400), (.always, 200)] {
            try await LiveIngress.run {
                $0.settings.backends.litellmTraces = true
                $0.settings.http.requestLogging = mode
            } _: { ingress in
                async let answer = ingress.call(
                    "POST", way.target, headers: way.headers + Self.off, body: LiveIngress.body)
                if status == 200 { try await ingress.forwarder.answer(next: 1) { "{\"withheld\":\($0.isWithheld)}" } }
                let said = try await answer
                guard status == 400 else {
                    #expect(said.status == 202 || said.text == #"{"withheld":false}"#)
                    return
                }
                #expect(said.status == 400 && said.error?.code == "always_logged", "\(said.text)")
                #expect(said.error?.message.contains("LITELLM_TRACES") == true)
                #expect(try await ingress.queued() == 0)
            }
        }
    }
}

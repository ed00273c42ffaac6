import Testing

@testable import Common
@testable import Policies

/// What clients may write in `x-tfy-retry-config`.
@Suite struct RetryRuleTests {
    @Test(arguments: [
        (
            #"{"attempts":3,"onStatusCodes":[429,500,503]}"#, 3, 100,
            [Route.Failure.status(429), .status(500), .status(503)]
        ),
        (#"{"attempts": 0}"#, 0, 100, [.status(429), .status(500), .status(502), .status(503)]),
        (#"{"attempts":1,"delay":7,"on_status_codes":["529","connect_error"]}"#, 1, 7, [.status(529), .connectError]),
        (#"{"attempts":5,"onStatusCodes":[]}"#, 5, 100, []),
    ])
    func `a header is read`(text: String, attempts: Int, delay: Int, failures: [Route.Failure]) throws {
        #expect(
            try RetryRule.read(text, upTo: 5) == Route.Retry(attempts: attempts, delay: delay, failures: Set(failures)))
    }

    @Test(arguments: [
        ("", "not a JSON object"), ("3", "not a JSON object"), (#"{"attempts":1,"attempts":2}"#, "not a JSON object"),
        ("{}", "from 0 to 5"), (#"{"attempts":6}"#, "from 0 to 5"), (#"{"attempts":"1"}"#, "from 0 to 5"),
        (#"{"attempts":1.5}"#, "from 0 to 5"), (#"{"attempts":-1}"#, "from 0 to 5"),
        (#"{"attempts":99999999999999999999}"#, "from 0 to 5"),
        (#"{"attempts":1,"delay":60001}"#, "from 0 to 60000"), (#"{"attempts":1,"delay":null}"#, "from 0 to 60000"),
        (#"{"attempts":1,"onStatusCodes":429}"#, "must be a list"),
        (#"{"attempts":1,"onStatusCodes":[200]}"#, "400 to 599"),
        (#"{"attempts":1,"onStatusCodes":[null]}"#, "must be a list"), (#"{"attempts":1,"retries":2}"#, "not known"),
    ])
    func `a mistake is shown`(text: String, word: String) {
        #expect(throws: GatewayError.self) { try RetryRule.read(text, upTo: 5) }
        do { _ = try RetryRule.read(text, upTo: 5) } catch {
            #expect(error.status == 400 && error.param == RetryRule.header && error.message.contains(word), "\(error)")
        }
    }

    @Test func `the operator may forbid it`() {
        do {
            _ = try RetryRule.read(#"{"attempts":1}"#, upTo: 0)
            Issue.record("it was taken")
        } catch {
            #expect(error.message.contains("takes no retries"))
        }
    }
}

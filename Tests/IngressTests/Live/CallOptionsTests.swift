import Common
import TestSupport
import Testing

@testable import Ingress

/// What a client asks of its calls, by each way into the queue.
@Suite(.timeLimit(.minutes(5))) struct CallOptionsTests {
    @Test(arguments: MetadataTests.ways) func `the headers reach the job, and go no further`(
        way: MetadataTests.Way
    ) async throws {
        try await LiveIngress.run { ingress in
            let headers =
                way.headers + [
                    #"X-TFY-Retry-Config: {"attempts":2,"delay":5,"onStatusCodes":[429]}"#,
                    "x-tfy-request-timeout: 1500", "x-tfy-ttft-timeout-ms: 20",
                ]
            async let answer = ingress.call("POST", way.target, headers: headers, body: LiveIngress.body)
            let taken = try await ingress.forwarder.take()
            let retry = Route.Retry(attempts: 2, delay: 5, failures: [.status(429)])
            #expect(taken.job.options == CallOptions(retry: retry, timeout: 1500, firstTokenTimeout: 20))
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await [200, 202].contains(answer.status))
        }
    }

    @Test(arguments: [
        ("x-tfy-request-timeout", "0"), ("x-tfy-request-timeout", "-1"), ("x-tfy-request-timeout", "1.5"),
        ("x-tfy-request-timeout", ""), ("x-tfy-request-timeout", "86400001"), ("x-tfy-ttft-timeout-ms", "٣"),
        ("x-tfy-ttft-timeout-ms", "99999999999999999999"), ("x-tfy-retry-config", "3"),
        ("x-tfy-retry-config", #"{"attempts":6}"#),
    ])
    func `a header that cannot be read is refused by name`(name: String, value: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await ingress.call(
                "POST", LiveIngress.path, headers: ["\(name): \(value)"], body: LiveIngress.body)
            #expect(answer.status == 400 && answer.text.contains("`\(name)`"), "\(answer.text)")
            let twice = try await ingress.call(
                "POST", LiveIngress.path, headers: ["\(name): 5", "\(name): 5"], body: LiveIngress.body)
            #expect(twice.status == 400 && twice.text.contains("2 times"), "\(twice.text)")
        }
    }
}

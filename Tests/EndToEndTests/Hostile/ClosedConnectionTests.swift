import NIOConcurrencyHelpers
import TestSupport
import Testing

/// A provider that closes a kept connection just as the next call goes out on it, and the whole gateway before it.
@Suite(.timeLimit(.minutes(5))) struct ClosedConnectionTests {
    private static let kept = HostileGateway.good.replacing("Connection: close\r\n", with: "")
    private static let complete = CallOutcome.complete(status: 200, bytes: 11, tail: #"{"ok":true}"#)

    /// Makes two calls. The connection of the first closes when the second comes.
    /// - Returns: what came of the second, and the requests that the provider got.
    private func secondCall(secrets: String = "") async throws -> (outcome: CallOutcome, requests: [String]) {
        let requests = NIOLockedValueBox<[String]>([])
        let outcome = NIOLockedValueBox(Self.complete)
        try await HostileGateway.run(secrets: secrets) { connection, request in
            requests.withLockedValue { $0.append(request) }
            try await connection.write(Self.kept)
            guard let second = try await connection.request() else { return }
            requests.withLockedValue { $0.append(second) }
        } _: { gateway in
            #expect(try await gateway.call("hostile/first") == Self.complete)
            let second = try await gateway.call("hostile/second")
            outcome.withLockedValue { $0 = second }
        }
        return (outcome.withLockedValue { $0 }, requests.withLockedValue { $0 })
    }

    @Test func `the call is repeated byte for byte`() async throws {
        let (outcome, requests) = try await secondCall()
        #expect(outcome == Self.complete)
        #expect(requests.count == 3)
        #expect(requests.last == requests.dropLast().last && requests.last?.contains(#""model": "second""#) == true)
    }

    @Test func `an account can turn it off`() async throws {
        let (outcome, requests) = try await secondCall(secrets: "    repeat_on_closed_connection: false\n")
        #expect(outcome == .refused(status: 502, code: "closed_early"))
        #expect(requests.count == 2)
    }

    @Test func `a connection that is not kept is not closed`() async throws {
        let secrets = "    repeat_on_closed_connection: false\n    idle_connection_seconds: 0\n"
        let (outcome, requests) = try await secondCall(secrets: secrets)
        #expect(outcome == Self.complete)
        #expect(requests.count == 2)
    }
}

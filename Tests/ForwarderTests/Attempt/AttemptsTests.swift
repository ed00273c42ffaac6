import Common
import Queue
import Testing
import Upstream

@testable import Forwarder

@Suite struct AttemptsTests {
    private static let passing: Set<UpstreamError.Code> = [.resolve, .connect, .connectTimeout, .tls]

    private func error(_ code: UpstreamError.Code, sent: Bool) -> UpstreamError {
        UpstreamError(code, "why", requestMayHaveBeenSent: sent)
    }

    @Test(arguments: UpstreamError.Code.allCases)
    func `retries only what may pass and was not sent`(_ code: UpstreamError.Code) {
        for sent in [false, true] {
            var attempts = Attempts(limit: 2)
            let decision = attempts.failed(error(code, sent: sent), after: .zero, remaining: .seconds(60))
            let mayRetry = Self.passing.contains(code) && !sent
            #expect(
                decision
                    == (mayRetry
                        ? .retry(after: .milliseconds(100)) : .giveUp(GatewayError(upstream: error(code, sent: sent)))))
        }
    }

    @Test(arguments: [1, 2, 3, 10]) func `makes at most so many calls`(_ limit: Int) {
        var attempts = Attempts(limit: limit)
        var pauses: [Duration] = []
        while case .retry(let pause) = attempts.failed(
            error(.connect, sent: false), after: .zero, remaining: .seconds(60))
        { pauses.append(pause) }
        #expect(attempts.made == limit)
        #expect(
            pauses == [100, 200, 400, 800, 1600, 3200, 3200, 3200, 3200].prefix(limit - 1).map { .milliseconds($0) })
    }

    @Test(arguments: [(99, false), (100, false), (101, true), (-5, false)])
    func `does not outstay the deadline`(_ remaining: Int, _ retries: Bool) {
        var attempts = Attempts(limit: 3)
        let decision = attempts.failed(error(.connect, sent: false), after: .zero, remaining: .milliseconds(remaining))
        #expect((decision == .retry(after: .milliseconds(100))) == retries)
    }

    private var closed: UpstreamError {
        var error = error(.closedEarly, sent: true)
        error.keptConnectionClosed = true
        return error
    }

    @Test func `repeats once what a kept connection swallowed`() {
        var attempts = Attempts(limit: 10)
        #expect(
            attempts.failed(closed, after: .zero, remaining: .milliseconds(1)) == .repeatOnFresh,
            "at once, without a pause")
        #expect(attempts.hasRepeated)
        #expect(
            attempts.failed(closed, after: .zero, remaining: .seconds(60)) == .giveUp(GatewayError(upstream: closed)))
    }

    @Test(arguments: [(1, true, 60), (0, true, 60), (3, false, 60), (3, true, 0), (3, true, -1)])
    func `repeats nothing beyond its bounds`(_ limit: Int, _ mayRepeat: Bool, _ seconds: Int) {
        var attempts = Attempts(limit: limit, mayRepeat: mayRepeat)
        #expect(
            attempts.failed(closed, after: .zero, remaining: .seconds(seconds))
                == .giveUp(GatewayError(upstream: closed)))
        #expect(!attempts.hasRepeated && attempts.expired == .expired)
    }

    /// A forwarder that stood still for so long may have lost the job, and another may have made the call.
    @Test(arguments: [(Duration.milliseconds(9999), true), (.seconds(10), false), (.seconds(200), false)])
    func `repeats only what fails soon`(_ elapsed: Duration, _ isRepeated: Bool) {
        var attempts = Attempts(limit: 10)
        let expected = isRepeated ? Attempts.Decision.repeatOnFresh : .giveUp(GatewayError(upstream: closed))
        #expect(attempts.failed(closed, after: elapsed, remaining: .seconds(60)) == expected)
    }

    @Test func `the repeated call counts among the attempts`() {
        var attempts = Attempts(limit: 3)
        let refused = error(.connect, sent: false)
        #expect(attempts.failed(refused, after: .zero, remaining: .seconds(60)) == .retry(after: .milliseconds(100)))
        #expect(attempts.failed(closed, after: .zero, remaining: .seconds(60)) == .repeatOnFresh)
        // Not made this time, and yet the call before it may have been paid for.
        let told = GatewayError(upstream: error(.connect, sent: true))
        #expect(attempts.failed(refused, after: .zero, remaining: .seconds(60)) == .giveUp(told))
        #expect(attempts.made == 3)
        #expect(attempts.expired.shouldRetry == false && attempts.expired.status == 504)
    }

    @Test(arguments: UpstreamError.Code.allCases)
    func `tells the client what happened`(_ code: UpstreamError.Code) {
        let status: [UpstreamError.Code: Int] = [
            .invalidURL: 400, .blockedAddress: 400, .connectTimeout: 504, .idleTimeout: 504, .totalTimeout: 504,
            .unavailable: 503,
        ]
        for sent in [false, true] {
            let told = GatewayError(upstream: error(code, sent: sent))
            #expect(told.status == status[code] ?? 502)
            #expect(told.code == code.rawValue && told.message.contains("why"))
            // False where a repetition could be paid for twice or could never succeed; else the client's SDK decides.
            #expect(told.shouldRetry == (sent || told.status == 400 ? false : nil))
        }
    }
}

internal import Common
internal import Queue
internal import Upstream

/// Decides which target a job's call goes to, and what follows a failed call: the same call again, a call to another
/// target, or none. A plan makes no call and knows no clock.
struct CallPlan {
    /// The step that follows a failed call.
    enum Next: Equatable {
        /// The next call, after a pause.
        case call(after: Duration)
        /// The same call at once, on a connection of its own. It may be paid for twice.
        case repeatOnFresh
        case giveUp(GatewayError)
    }

    /// The facts about a failed call that a rule may name.
    struct Failure {
        var failure: Route.Failure
        /// Whether the call may have been paid for.
        var mayBePaid = true
        /// The wait that the provider asks of its clients (`Retry-After`).
        var retryAfter: Duration?
        /// The times at which the call was made and at which it had failed.
        var times: (began: Timestamp, ended: Timestamp)
    }

    /// The longest wait that a provider may ask for. Beyond it the next target's turn comes at once.
    private static let longestWait = Duration.seconds(60)

    private(set) var target: Target
    /// The job at its present target, where a rule chose that; nil if the job has no other target.
    private(set) var routed: RoutedJob?
    private var attempts: Attempts
    private let limits: CallLimits
    private let options: CallOptions
    /// The model that the client asked for.
    private let asked: String?
    /// Calls that were made, the present one included.
    private(set) var calls = 0
    /// Calls to the present target that a rule or the client had made again.
    private var retries = 0
    /// The failed calls that another call followed.
    private(set) var failures: [FailedAttempt] = []

    /// - Parameter routed: the job at its first target, where the operator's rules have chosen it.
    init(_ job: Job, to target: Target, routed: RoutedJob? = nil, limits: CallLimits) {
        self.target = target
        self.routed = routed
        self.limits = limits
        options = job.options
        asked = job.model
        attempts = Attempts(limit: limits.tries, mayRepeat: target.repeatsOnClosedConnection)
    }

    /// The error for a client whose time is over before the next call.
    var expired: GatewayError { attempts.expired }

    /// The next call, counted as made.
    /// - Parameter remaining: what is left until the client's time is over.
    mutating func request(within remaining: Duration) -> UpstreamRequest {
        calls += 1
        var request = target.request
        request.timeouts.total = min(request.timeouts.total, remaining)
        if let timeout = options.timeout {
            request.timeouts.total = min(request.timeouts.total, .milliseconds(timeout))
        }
        request.connections.mustBeFresh = attempts.hasRepeated
        return request
    }

    /// Notes that the present call goes on with a request that was changed.
    mutating func changeTarget(_ target: Target) { self.target = target }

    /// Decides the step that follows a failure of the transport, as far as no rule decides it.
    /// - Parameters:
    ///   - failure: the rules' name of the failure; nil if they have none.
    ///   - times: when the call was made and when it had failed.
    ///   - elapsed: the time since the call began.
    ///   - remaining: what is left until the client's time is over.
    mutating func next(
        after error: UpstreamError, _ failure: Route.Failure?, _ times: (began: Timestamp, ended: Timestamp),
        elapsed: Duration, remaining: Duration
    ) -> Next {
        let decision = attempts.failed(error, after: elapsed, remaining: remaining)
        if calls >= limits.calls { return .giveUp(attempts.told(of: error)) }
        if case .giveUp(let told) = decision { return .giveUp(told) }
        note(Failure(failure: failure ?? .connectError, times: times))
        if case .retry(let pause) = decision { return .call(after: pause) }
        return .repeatOnFresh
    }

    /// Returns the pause before the next call, if a rule has one for the failure or the client asked for one; nil if no
    /// call follows.
    /// - Parameters:
    ///   - jitter: a random number from 0 to 1.
    /// - Throws: the error for the client if the next target cannot be called.
    mutating func pause(
        after failed: Failure, remaining: Duration, jitter: Double
    ) throws(GatewayError) -> Duration? {
        guard limits.calls > calls, remaining > .zero else { return nil }
        if let pause = retryPause(after: failed, jitter: jitter), pause < remaining {
            note(failed)
            retries += 1
            attempts.goesOn(mayRepeat: target.repeatsOnClosedConnection, mayBePaid: failed.mayBePaid)
            return pause
        }
        let failing = model
        guard routed?.advance(after: failed.failure) ?? false else { return nil }
        note(failed, of: failing)
        guard let next = try routed?.target() else { return nil }
        target = next
        retries = 0
        attempts.goesOn(mayRepeat: next.repeatsOnClosedConnection, mayBePaid: failed.mayBePaid)
        return .zero
    }

    /// Whether another call may follow although an answer has begun. Only then is the beginning of the answer held
    /// back.
    var mayGoOn: Bool {
        guard limits.calls > calls else { return false }
        let isAfterHead: (Route.Failure) -> Bool = { $0 != .connectError && $0 != .timeout }
        if let retry, retries < retry.attempts, retry.failures.contains(where: isAfterHead) { return true }
        return routed?.mayAdvance(afterAny: isAfterHead) ?? false
    }

    /// The retries of the present target: as its rule says, else as the client asks.
    private var retry: Route.Retry? { routed?.retry ?? options.retry }

    /// `provider/model` of the present target.
    var model: String { routed?.model ?? asked ?? target.provider }

    private func retryPause(after failed: Failure, jitter: Double) -> Duration? {
        guard let retry, retries < retry.attempts, retry.failures.contains(failed.failure) else { return nil }
        // Calls that failed together do not come back together.
        let pause = Duration.milliseconds(retry.delay << min(retries, 10)) * (0.5 + 0.5 * jitter)
        guard let wait = failed.retryAfter else { return pause }
        return wait > Self.longestWait ? nil : max(wait, pause)
    }

    private mutating func note(_ failed: Failure, of model: String? = nil) {
        failures.append(
            FailedAttempt(
                model: model ?? self.model, failure: failed.failure, began: failed.times.began,
                ended: failed.times.ended))
    }
}
